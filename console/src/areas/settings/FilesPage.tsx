import { Button, Skeleton, Table } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { deleteFile, kindOf, libraryQuery, type StoredFile } from "../../api/files.ts";
import { locale } from "../../i18n/words.ts";
import { announce } from "../../ui/announce.ts";
import { Confirm } from "../../ui/Confirm.tsx";
import { FileField, StoredImage } from "../../ui/files/lazy.tsx";
import { useSize } from "../../ui/files/useSize.ts";
import { fileName } from "../../ui/names.ts";
import { ChangesLink } from "../../ui/ChangesLink.tsx";
import { Page } from "../../ui/Page.tsx";
import { Problem } from "../../ui/Problem.tsx";

/** The files that flows, templates and campaigns send. */
export function FilesPage() {
  const { t } = useTranslation("settings");
  const files = useQuery(libraryQuery());
  const [removing, setRemoving] = useState<StoredFile>();
  return (
    <Page title={t("files.title")}>
      <p>{t("files.about")}</p>
      <FileField label={t("files.upload")} value={undefined} uploadOnly onChange={() => undefined} />
      {files.isError && <Problem error={files.error} again={() => void files.refetch()} />}
      {files.isPending && <Skeleton height={160} />}
      {files.data?.length === 0 && <p>{t("files.none")}</p>}
      {files.data && files.data.length > 0 && <FileTable files={files.data} remove={setRemoving} />}
      {removing && <Removal file={removing} done={() => setRemoving(undefined)} />}
      <ChangesLink of="files" />
    </Page>
  );
}

function FileTable({ files, remove }: { files: readonly StoredFile[]; remove: (file: StoredFile) => void }) {
  const { t } = useTranslation("settings");
  const { t: kinds } = useTranslation("files");
  const size = useSize();
  const detail = (file: StoredFile) =>
    t("files.detail", {
      kind: kinds(`kind.${kindOf(file.mime_type)}`),
      size: size(file.size),
      date: new Date(file.created_at).toLocaleDateString(locale()),
    });
  return (
    <Table verticalSpacing="sm">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{t("files.name")}</Table.Th>
          <Table.Td />
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {files.map((file) => (
          <Table.Tr key={file.id}>
            <Table.Td>
              <span className="settings-file">
                {kindOf(file.mime_type) === "image" && <StoredImage id={file.id} />}
                <span>
                  {fileName(file)}
                  <small className="quiet">{detail(file)}</small>
                </span>
              </span>
            </Table.Td>
            <Table.Td className="settings-actions">
              <Button
                size="xs"
                variant="subtle"
                color="red"
                aria-label={t("files.removeOne", { name: fileName(file) })}
                onClick={() => remove(file)}
              >
                {t("files.remove")}
              </Button>
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

function Removal({ file, done }: { file: StoredFile; done: () => void }) {
  const { t } = useTranslation("settings");
  const { t: common } = useTranslation();
  const queries = useQueryClient();
  const deleting = useMutation({
    mutationFn: () => deleteFile(file.id),
    onSuccess: async () => {
      announce(common("saved"));
      await queries.invalidateQueries({ queryKey: libraryQuery().queryKey });
      done();
    },
  });
  return (
    <Confirm
      opened
      onClose={done}
      title={t("files.removeTitle")}
      text={t("files.removeText", { name: fileName(file) })}
      action={t("files.remove")}
      color="red"
      doing={deleting}
    />
  );
}
