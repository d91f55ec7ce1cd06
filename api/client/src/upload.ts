import { unwrap } from "./index.js";
import type { Academy } from "./index.js";

export interface UploadOptions {
  /** Of an upload that was begun before: only what is missing is sent. */
  uploadId?: string;
  /** Told once it is known, so that it can be kept for resuming. */
  onBegin?: (uploadId: string) => void;
  /** Told after every part. */
  onProgress?: (sent: number, size: number) => void;
  signal?: AbortSignal;
}

/** Sends a file straight to the object storage, part by part, and queues its transcoding: the recording's id. */
export async function uploadRecording(
  academy: Academy,
  lectureId: string,
  file: File,
  options: UploadOptions = {},
): Promise<string> {
  const id = options.uploadId ?? (await begin(academy, lectureId, file));
  options.onBegin?.(id);
  const path = { upload_id: id };
  const state = await unwrap(academy.GET("/v1/uploads/{upload_id}", { params: { path } }));
  const missing = new Set(state.missing);
  for (let number = 1; number <= state.part_count; number++) {
    const end = Math.min(number * state.part_size, file.size);
    if (missing.has(number)) {
      options.signal?.throwIfAborted();
      const { urls } = await unwrap(
        academy.POST("/v1/uploads/{upload_id}/parts", { params: { path }, body: { numbers: [number] } }),
      );
      const link = urls[0];
      if (link === undefined) throw new Error("The API gave no address for the part.");
      const body = file.slice((number - 1) * state.part_size, end);
      const sent = await fetch(link.url, {
        method: link.method,
        headers: link.headers,
        body,
        ...(options.signal ? { signal: options.signal } : {}),
      });
      if (!sent.ok) throw new Error(`The storage answered ${sent.status} to part ${number}.`);
    }
    options.onProgress?.(end, file.size);
  }
  const done = await unwrap(academy.POST("/v1/uploads/{upload_id}/complete", { params: { path } }));
  return done.recording_id;
}

async function begin(academy: Academy, lectureId: string, file: File): Promise<string> {
  const upload = await unwrap(
    academy.POST("/v1/lectures/{lecture_id}/uploads", {
      params: { path: { lecture_id: lectureId } },
      body: {
        filename: file.name,
        size: file.size,
        content_type: file.type === "" ? "application/octet-stream" : file.type,
      },
    }),
  );
  return upload.id;
}
