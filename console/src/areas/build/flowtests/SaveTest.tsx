import { Button, Checkbox, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Form } from "../../../ui/Form.tsx";
import { announce } from "../../../ui/announce.ts";
import { Dialog } from "../../../ui/Dialog.tsx";
import { Problem } from "../../../ui/Problem.tsx";
import { useEditor } from "../editor/state.tsx";
import { changeTests, testOf, withTests, type RecordedTurn } from "./tests.ts";

/** Keep a rehearsal as a test: what the person did, and what the bot answered. */
export function SaveTest({ recorded, onClose }: { recorded: readonly RecordedTurn[]; onClose: () => void }) {
  const { t } = useTranslation(["build", "shell"]);
  const { document } = useEditor();
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [way, setWay] = useState(false);
  const save = useMutation({
    mutationFn: () =>
      changeTests(document.id, (file) => withTests(file, [testOf(name.trim(), document.id, recorded, way)])),
    onSuccess: () => {
      announce(t("tests.saved", { name: name.trim() }));
      for (const key of ["flow-tests", "flow-test-run"])
        void client.invalidateQueries({ queryKey: [key, document.id] });
      onClose();
    },
  });
  return (
    <Dialog opened onClose={onClose} title={t("tests.save")}>
      <Form
        className=""
        onSubmit={() => {
          if (name.trim()) save.mutate();
        }}
      >
        <p className="flush">{t("tests.saveAbout", { count: recorded.length })}</p>
        <TextInput
          label={t("tests.name")}
          placeholder={t("tests.nameHint")}
          maxLength={100}
          data-autofocus
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Checkbox
          mt="sm"
          label={t("tests.way")}
          description={t("tests.wayAbout")}
          checked={way}
          onChange={(event) => setWay(event.currentTarget.checked)}
        />
        {save.isError && <Problem error={save.error} />}
        <div className="build-dialog-end">
          <Button variant="default" onClick={onClose}>
            {t("shell:cancel")}
          </Button>
          <Button type="submit" disabled={!name.trim()} loading={save.isPending}>
            {t("tests.save")}
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}
