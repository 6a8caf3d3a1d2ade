/** To come. */
export function OverviewPage() {
  return <p>OverviewPage</p>;
}
