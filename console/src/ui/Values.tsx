interface ValuesProps {
  of: Readonly<Record<string, unknown>>;
  className?: string;
  /** What is said when there are none. */
  none?: string;
  /** Values that are missing or empty are left out. */
  onlyKnown?: boolean;
}

/** Values, each after its name. What is more than a text or a number is shown as JSON. */
export function Values({ of, className, none, onlyKnown }: ValuesProps) {
  const values = Object.entries(of).filter(([, value]) => !onlyKnown || (value != null && value !== ""));
  if (values.length === 0) return none ? <p className="quiet flush">{none}</p> : null;
  return (
    <dl className={["values", className].filter(Boolean).join(" ")}>
      {values.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value == null ? "–" : typeof value === "object" ? JSON.stringify(value) : String(value)}</dd>
        </div>
      ))}
    </dl>
  );
}
