import { Title } from "@mantine/core";
import { useEffect, useRef, type ReactNode } from "react";
import { announce } from "./announce.ts";

interface PageProps {
  title: string;
  /** What stands at the right of the title. */
  actions?: ReactNode;
  children: ReactNode;
}

/** A page below the shell: its heading takes the focus when the person comes here, and names the window. */
export function Page({ title, actions, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · PyTake`;
    announce(title);
  }, [title]);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  return (
    <div className="page">
      <header className="page-head">
        <Title order={1} size="h2" tabIndex={-1} ref={heading} className="page-title">
          {title}
        </Title>
        {actions}
      </header>
      {children}
    </div>
  );
}
