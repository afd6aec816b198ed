import type { ComponentProps } from "react";

type FormProps = Omit<ComponentProps<"form">, "onSubmit"> & { onSubmit: () => void };

/** A form that the console sends itself: the browser does not leave the page. */
export function Form({ onSubmit, className = "form", ...others }: FormProps) {
  return (
    <form
      className={className}
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
      {...others}
    />
  );
}
