import { Button } from "@mantine/core";
import type { UseMutationResult } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { ApiError } from "../api/errors.ts";
import { Problem } from "./Problem.tsx";

interface Places {
  field: string;
  message: string;
}

function placesOf(error: unknown): Places[] {
  const errors = error instanceof ApiError ? error.body["errors"] : undefined;
  return Array.isArray(errors) ? (errors as Places[]) : [];
}

/** The button that saves a form, and what kept it from being saved. */
export function SaveBar<Data, Input>({ saving }: { saving: UseMutationResult<Data, Error, Input> }) {
  const { t } = useTranslation();
  return (
    <div className="form-save">
      {saving.isError && <Problem error={saving.error} />}
      {placesOf(saving.error).length > 0 && (
        <ul className="flush">
          {placesOf(saving.error).map(({ field, message }) => (
            <li key={field}>
              <code>{field}</code>: {message}
            </li>
          ))}
        </ul>
      )}
      <div className="form-save-line">
        <Button type="submit" loading={saving.isPending}>
          {t("save")}
        </Button>
        <output className="quiet">{saving.isSuccess ? t("saved") : ""}</output>
      </div>
    </div>
  );
}
