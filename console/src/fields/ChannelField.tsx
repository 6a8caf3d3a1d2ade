import { useId } from 'react';
import { TextInput } from '@mantine/core';
import { ChannelsDocument } from '../generated/operations.ts';
import { useOperation } from '../api/use-operation.ts';

interface Properties {
  value: string;
  onChange(value: string): void;
  label?: string;
  description?: string;
  required?: boolean;
}

/** The id of a channel. The browser suggests the first channels of the project. */
export function ChannelField({
  value,
  onChange,
  label = 'Channel',
  description,
  required = true,
}: Properties) {
  const { data } = useOperation(ChannelsDocument, {});
  const list = useId();
  return (
    <>
      <TextInput
        label={label}
        description={description}
        required={required}
        withAsterisk={false}
        placeholder={required ? 'For example room:1' : 'All channels'}
        autoComplete="off"
        list={list}
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
      <datalist id={list}>
        {data?.channels.nodes.map(({ id }) => (
          <option key={id} value={id} />
        ))}
      </datalist>
    </>
  );
}
