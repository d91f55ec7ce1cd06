/** The Academy API, typed: a thin layer over `fetch` whose types are generated from the OpenAPI document. */

import createFetchClient from "openapi-fetch";
import type { Client, Middleware } from "openapi-fetch";

import type { paths, Problem } from "./schema.js";

export type * from "./schema.js";
export { recordingEvents } from "./events.js";
export { uploadRecording } from "./upload.js";
export type { UploadOptions } from "./upload.js";

export type Academy = Client<paths>;

export interface AcademyOptions {
  /** Where the API is, such as `https://academy.example.org`; the page's own origin when left out. */
  baseUrl?: string;
  /** A JSON Web Token, or what gives one: asked for with every request. */
  token?: string | (() => string | undefined | Promise<string | undefined>);
  /** Sent as `Accept-Language`; a request's `lang` parameter goes before it. */
  language?: string;
  fetch?: (request: Request) => Promise<Response>;
}

export function createAcademy(options: AcademyOptions = {}): Academy {
  const client = createFetchClient<paths>({
    baseUrl: options.baseUrl ?? "",
    ...(options.fetch ? { fetch: options.fetch } : {}),
  });
  client.use(identified(options));
  return client;
}

function identified({ token, language }: AcademyOptions): Middleware {
  return {
    async onRequest({ request }) {
      const bearer = typeof token === "function" ? await token() : token;
      if (bearer !== undefined) request.headers.set("Authorization", `Bearer ${bearer}`);
      if (language !== undefined) request.headers.set("Accept-Language", language);
      // A merge patch (RFC 7396) by its own name.
      if (request.method === "PATCH") {
        request.headers.set("Content-Type", "application/merge-patch+json");
      }
      return request;
    },
  };
}

/** What the API answered when it did not do what was asked: problem details (RFC 9457). */
export class ProblemError extends Error {
  constructor(
    readonly problem: Problem,
    readonly response: Response,
  ) {
    super(problem.detail);
    this.name = "ProblemError";
  }

  /** Such as `not_found`: what a program decides by. */
  get code(): string {
    return this.problem.type.replace("urn:academy:problem:", "");
  }

  /** Seconds to wait before asking again, if the server said so. */
  get retryAfter(): number | undefined {
    const seconds = Number(this.response.headers.get("Retry-After") ?? Number.NaN);
    return Number.isFinite(seconds) ? seconds : undefined;
  }
}

interface Result<Data> {
  data?: Data;
  error?: unknown;
  response: Response;
}

/** The data of an answer. Throws a ProblemError for any other. */
export async function unwrap<Data>(answer: Promise<Result<Data>>): Promise<Exclude<Data, undefined>> {
  const { data, error, response } = await answer;
  if (!response.ok) throw new ProblemError(asProblem(error, response), response);
  return data as Exclude<Data, undefined>;
}

function asProblem(error: unknown, response: Response): Problem {
  if (typeof error === "object" && error !== null && "detail" in error) return error as Problem;
  const { status, statusText, url } = response;
  return { type: "about:blank", title: statusText, status, detail: `${status} ${statusText}`, instance: url };
}

interface Page<Item> {
  readonly items: readonly Item[];
  readonly next_cursor: string | null;
}

/** Every item of a list, page after page: `for await (const course of items((cursor) => …))`. */
export async function* items<Item>(
  page: (cursor: string | undefined) => Promise<Result<Page<Item>>>,
): AsyncGenerator<Item, void, undefined> {
  let cursor: string | undefined;
  do {
    const found: Page<Item> = await unwrap(page(cursor));
    yield* found.items;
    cursor = found.next_cursor ?? undefined;
  } while (cursor !== undefined);
}
