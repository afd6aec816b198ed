/** The values of variables, each after its name. What is not a text is shown as JSON. */
export function Values({ of, className }: { of: Record<string, unknown>; className?: string }) {
  return (
    <dl className={className}>
      {Object.entries(of).map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{typeof value === "string" ? value : JSON.stringify(value)}</dd>
        </div>
      ))}
    </dl>
  );
}
