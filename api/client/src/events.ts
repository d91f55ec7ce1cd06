import { ProblemError } from "./index.js";
import type { Academy } from "./index.js";
import type { Problem, Recording } from "./schema.js";

/**
 * A lecture's recording now and after each change, until its transcoding ends. Opens the stream again,
 * after the last event seen, when the connection is lost. (`EventSource` cannot send a token.)
 */
export async function* recordingEvents(
  academy: Academy,
  lectureId: string,
  { signal, pause = 1000 }: { signal?: AbortSignal; pause?: number } = {},
): AsyncGenerator<Recording, void, undefined> {
  let last: { id?: string; recording?: Recording } = {};
  while (last.recording === undefined || active(last.recording)) {
    const { data, error, response } = await academy.GET("/v1/lectures/{lecture_id}/recording/events", {
      params: {
        path: { lecture_id: lectureId },
        header: last.id === undefined ? {} : { "last-event-id": last.id },
      },
      parseAs: "stream",
      ...(signal ? { signal } : {}),
    });
    if (!response.ok) throw new ProblemError(error as Problem, response);
    try {
      for await (const event of events(data as ReadableStream<Uint8Array>)) {
        last = { id: event.id, recording: JSON.parse(event.data) as Recording };
        yield last.recording as Recording;
      }
    } catch (lost) {
      if (signal?.aborted === true) throw lost;
    }
    if (last.recording === undefined || active(last.recording)) await wait(pause);
  }
}

function active(recording: Recording): boolean {
  return recording.state === "queued" || recording.state === "running";
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Server-sent events (WHATWG HTML §9.2), as far as this API uses them: `id` and one line of `data`. */
async function* events(
  stream: ReadableStream<Uint8Array>,
): AsyncGenerator<{ id: string; data: string }, void, undefined> {
  const reader = stream.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>).getReader();
  let pending = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const blocks = (pending + value).split("\n\n");
      pending = blocks.pop() ?? "";
      for (const block of blocks) {
        const fields = Object.fromEntries(block.split("\n").map((line) => line.split(/: ?(.*)/s, 2)));
        if (fields["data"] !== undefined) yield { id: fields["id"] ?? "", data: fields["data"] };
      }
    }
  } finally {
    await reader.cancel();
  }
}
