import { useState, type FormEvent } from 'react';
import { Alert, Button, Paper, PasswordInput, Stack, Text, Title } from '@mantine/core';
import { ErrorNotice } from '../parts/ErrorNotice.tsx';
import { signIn, type Session } from '../client/session.ts';

/** Asks for an API key. The field is uncontrolled, so that the key is in no state of React either. */
export function SignIn({
  notice,
  onSignedIn,
}: {
  notice: string | undefined;
  onSignedIn(session: Session): void;
}) {
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  async function submit(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const key = new FormData(event.currentTarget).get('key');
    setBusy(true);
    setError(undefined);
    try {
      onSignedIn(await signIn(typeof key === 'string' ? key.trim() : ''));
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  }
  return (
    <main className="sign-in">
      <Paper withBorder p="xl" component="form" onSubmit={(event) => void submit(event)}>
        <Stack>
          <div>
            <Title order={1} size="h2">
              Signalbox console
            </Title>
            <Text c="dimmed" size="sm">
              Sign in with an API key of your project. It stays in the memory of this page.
            </Text>
          </div>
          {notice !== undefined && error === undefined && <Alert color="gray">{notice}</Alert>}
          <ErrorNotice error={error} />
          <PasswordInput
            name="key"
            label="API key"
            description="key_… The service prints the first key when it starts for the first time."
            autoComplete="off"
            autoFocus
            required
            withAsterisk={false}
          />
          <Button type="submit" loading={isBusy}>
            Sign in
          </Button>
          <Text c="dimmed" size="sm">
            A key with the scope READ shows everything and changes nothing.
          </Text>
        </Stack>
      </Paper>
    </main>
  );
}
