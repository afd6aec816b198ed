import { useQuery } from "@tanstack/react-query";
import { linkQuery } from "../../api/files.ts";

export interface StoredImageProps {
  id: string;
  /** Shown while the picture is loading, and when there is none. */
  otherwise?: string;
}

/** The picture of a library file. */
export function StoredImage({ id, otherwise }: StoredImageProps) {
  const link = useQuery({ ...linkQuery(id), retry: false });
  return link.data?.mime_type.startsWith("image/") ? <img src={link.data.url} alt="" /> : otherwise;
}
