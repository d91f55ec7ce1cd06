/**
 * The API's shapes, for editors and type checkers only: no page loads this file.
 * Durations in seconds, sizes in bytes, bandwidths in bits per second.
 *
 * @typedef {{slug: string, name: string, city?: string | null, course_count?: number}} University
 * @typedef {{slug: string, name: string, summary?: string | null, course_count?: number}} Programme
 * @typedef {{slug: string, name: string, headline?: string | null, bio?: string | null,
 *   organisation?: string | null, visiting?: boolean, portrait_url?: string | null}} Instructor
 * @typedef {{slug: string, title: string, summary: string | null, language: string, level: string | null,
 *   programme: Programme | null, universities: University[], instructors: Instructor[], lecture_count: number, duration: number,
 *   poster_url: string | null, published_at: string | null, demo?: boolean}} CourseCard
 * @typedef {{id: string, title: string, duration: number | null, playable: boolean, published: boolean}} LectureRow
 * @typedef {{id: string | null, title: string | null, lectures: LectureRow[]}} Section
 * @typedef {CourseCard & {description: string | null, sections: Section[]}} Course
 * @typedef {{language: string, label: string, kind: string, url: string}} Caption
 * @typedef {{start: number, end: number, title: string, thumbnail: string | null}} Chapter
 * @typedef {{state: 'none' | 'processing' | 'streaming' | 'ready' | 'failed', hls: string | null,
 *   dash: string | null, duration: number | null, available_duration: number | null,
 *   poster: string | null, storyboard: string | null, captions: Caption[], chapters: Chapter[],
 *   renditions: {id: string, width: number | null, height: number | null}[]}} Playback
 * @typedef {{id: string, course: string, section: string | null, position: number, title: string, description: string | null,
 *   language: string, instructors: Instructor[], duration: number | null,
 *   published: boolean, playback: Playback}} Lecture
 * @typedef {{field: string, language: string, html: string}} Highlight
 * @typedef {{type: 'course', course: CourseCard, highlights: Highlight[]}
 *   | {type: 'lecture', lecture: {id: string, title: string, course: string, course_title: string}, highlights: Highlight[]}
 *   | {type: 'moment', lecture_id: string, start: number, text: string, lecture_title: string,
 *     course: {slug: string, title: string}, highlights: Highlight[]}} Hit
 * @typedef {{course: {slug: string, title: string, poster_url: string | null}, enrolled_at: string,
 *   progress: {completed: number, required: number, share: number, complete: boolean},
 *   next: {id: string, title: string, duration: number | null, position: number} | null, certificate: string | null}} Attendance
 * @typedef {{id: string, title: string, organisation: string, location: string | null, description: string | null,
 *   kind: 'internship' | 'job', url: string, programmes: string[], closes_on: string}} Opportunity
 * @typedef {{code: string, status: 'valid' | 'revoked', name: string | null, course: {slug: string, title: string},
 *   programme: string | null, universities: string[], instructors: string[], lectures: number, duration: number,
 *   issued_at: string, revoked_at: string | null, reason: string | null, badge_url: string | null}} Certificate
 * @typedef {{id: string, title: string, duration: number, started: number, completed: number, viewers: number[],
 *   leaving: {start: number, end: number, learners: number}[]}} LectureStatistics
 * @typedef {{learners: number, active: number, lectures: LectureStatistics[],
 *   funnel: {enrolled: number, started: number, halfway: number, completed: number, certified: number}}} Statistics
 * @typedef {{code: string, severity: 'info' | 'warning' | 'error', message: string}} Finding
 * @typedef {{id: string, state: 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled',
 *   progress: number, speed: number | null, eta: number | null, stage?: string,
 *   inspection: {findings: Finding[]} | null, failure: {code: string, message: string} | null}} Recording
 * @typedef {{state: string, lecture_id: string, lecture: string, course: string, expires_at: string,
 *   recording: Recording | null}} Errand
 * @typedef {{language: string, label: string, kind: 'subtitles' | 'captions', cues: number, uploaded_at: string}} CaptionsGiven
 * @typedef {{id: string, state: 'open' | 'used' | 'expired' | 'revoked', url: string, note: string, expires_at: string}} Invitation
 * @typedef {{id: string, part_size: number, part_count: number, expires_at: string}} UploadPlan
 * @typedef {{state: 'open' | 'completing' | 'completed' | 'aborted' | 'expired',
 *   parts: {number: number, size: number, etag: string}[], missing: number[]}} UploadStatus
 * @typedef {{number: number, url: string, method: string, headers: Record<string, string>}} SignedPart
 */
export {};
