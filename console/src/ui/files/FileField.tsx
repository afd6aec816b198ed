import { Button, FileButton, Progress, Select } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type DragEvent } from "react";
import { useTranslation } from "react-i18next";
import {
  isLibraryFile,
  kindOf,
  libraryQuery,
  storeFile,
  type FileKind,
  type StoredFile,
} from "../../api/files.ts";
import { session } from "../../login/session.ts";
import { announce } from "../announce.ts";
import { Icon } from "../Icon.tsx";
import { fileName } from "../names.ts";
import { Problem } from "../Problem.tsx";
import { StoredImage } from "./StoredImage.tsx";
import { useSize } from "./useSize.ts";
import "./files.css";

/** What WhatsApp takes of each kind; the API looks at the contents. */
const ACCEPTED: Record<FileKind, string> = {
  image: "image/jpeg,image/png",
  sticker: "image/webp",
  video: "video/mp4,video/3gpp",
  audio: "audio/aac,audio/amr,audio/mpeg,audio/mp4,audio/ogg",
  document: "text/plain,application/pdf,.doc,.docx,.xls,.xlsx,.ppt,.pptx",
};

export interface ChosenFile {
  id: string;
  kind: FileKind;
  filename: string | undefined;
}

export interface FileFieldProps {
  /** What the file is for; part of the names of the buttons. Otherwise that is its kind. */
  label?: string;
  /** The id of the library file, if one is chosen. */
  value: string | undefined;
  /** The only kind that fits; any, if it is not given. */
  kind?: FileKind | undefined;
  /** Without the choice of a file that is there. */
  uploadOnly?: boolean;
  onChange: (file: ChosenFile | undefined) => void;
}

/** Choose a library file: one from the person's device, which is uploaded, or one that is there. */
export function FileField({ label, value, kind, uploadOnly = false, onChange }: FileFieldProps) {
  const { t } = useTranslation("files");
  const field = label ?? t(`kind.${kind ?? "document"}`);
  const queries = useQueryClient();
  const [asked, setAsked] = useState(false);
  const chosen = isLibraryFile(value) ? value : undefined;
  // Few forms have a file, so the list is fetched when it is first needed.
  const library = useQuery({ ...libraryQuery(), enabled: asked || chosen !== undefined });
  const [part, setPart] = useState(0);
  const [over, setOver] = useState(false);
  const files = library.data ?? [];
  const uploading = useMutation({
    mutationFn: async (file: File) => {
      setPart(0);
      announce(t("uploading", { name: file.name }));
      const id = await storeFile(file, { keep: true, progress: setPart });
      return { id, kind: kindOf(file.type), filename: file.name };
    },
    onSuccess: async (file) => {
      onChange(file);
      announce(t("uploaded", { name: file.filename }));
      await queries.invalidateQueries({ queryKey: libraryQuery().queryKey });
    },
  });
  const upload = (file: File | null | undefined) => {
    if (file && !uploading.isPending) uploading.mutate(file);
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    upload(event.dataTransfer.files[0]);
  };
  const mayUpload = session().person.role !== "agent";
  return (
    <div
      className="files-field"
      data-over={over}
      {...(mayUpload && {
        onDragOver: (event: DragEvent) => {
          event.preventDefault();
          setOver(true);
        },
        onDragLeave: () => setOver(false),
        onDrop: drop,
      })}
    >
      {chosen && <FileCard id={chosen} file={files.find(({ id }) => id === chosen)} />}
      <div className="files-row">
        {mayUpload && (
          <FileButton
            accept={kind ? ACCEPTED[kind] : Object.values(ACCEPTED).join(",")}
            onChange={upload}
            inputProps={{ "aria-label": t("choose", { field }) }}
          >
            {(props) => (
              <Button
                {...props}
                size="xs"
                variant="default"
                leftSection={<Icon name="attach" size={14} />}
                loading={uploading.isPending}
                aria-label={t(chosen ? "replaceOne" : "uploadOne", { field })}
              >
                {t(chosen ? "replace" : "upload")}
              </Button>
            )}
          </FileButton>
        )}
        {chosen && (
          <Button
            size="xs"
            variant="subtle"
            color="red"
            aria-label={t("removeOne", { field })}
            onClick={() => onChange(undefined)}
          >
            {t("remove")}
          </Button>
        )}
        {mayUpload && !chosen && <small className="quiet">{t("drop")}</small>}
      </div>
      {uploading.isPending && (
        <Progress
          value={part * 100 || 100}
          animated={part === 0}
          aria-label={t("uploading", { name: uploading.variables.name })}
        />
      )}
      {uploading.isError && <Problem error={uploading.error} />}
      {!chosen && !uploadOnly && (
        <Existing
          files={files.filter(({ mime_type }) => !kind || kindOf(mime_type) === kind)}
          label={t("existing", { field })}
          open={() => setAsked(true)}
          onChange={onChange}
        />
      )}
    </div>
  );
}

function FileCard({ id, file }: { id: string; file: StoredFile | undefined }) {
  const { t } = useTranslation("files");
  const size = useSize();
  return (
    <div className="files-card">
      <StoredImage id={id} />
      <span className="files-name">
        {file ? fileName(file) : t("file")}
        {file && <small className="quiet"> {size(file.size)}</small>}
      </span>
    </div>
  );
}

interface ExistingProps {
  files: readonly StoredFile[];
  label: string;
  open: () => void;
  onChange: (file: ChosenFile) => void;
}

function Existing({ files, label, open, onChange }: ExistingProps) {
  const { t } = useTranslation("files");
  return (
    <Select
      searchable
      size="xs"
      aria-label={label}
      placeholder={t("existingHint")}
      nothingFoundMessage={t("nothingFound")}
      data={files.map((file) => ({ value: file.id, label: fileName(file) }))}
      value={null}
      onFocus={open}
      onChange={(id) => {
        const file = files.find((one) => one.id === id);
        if (file)
          onChange({ id: file.id, kind: kindOf(file.mime_type), filename: file.filename ?? undefined });
      }}
    />
  );
}
