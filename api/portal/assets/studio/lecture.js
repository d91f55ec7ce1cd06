/** One lecture: its recording, from the upload to the end of transcoding, captions, invitations, publishing. */
import { call, get } from '../api.js';
import { fill, h } from '../dom.js';
import { t } from '../i18n.js';
import { icon } from '../icons.js';
import { captionsPanel } from './captions.js';
import { invitationsPanel } from './invitations.js';
import { actionButton, notice, publishedBadge } from './parts.js';
import { recordingPanel } from './recording.js';
import { uploadPanel } from './upload.js';

/** @param {HTMLElement} root @param {string} id @param {AbortSignal} signal */
export async function showLecture(root, id, signal) {
  /** @type {import('../types.js').Lecture} */
  const lecture = await get(`/v1/lectures/${encodeURIComponent(id)}`, {}, signal);
  /** @type {import('../types.js').Course} */
  const course = await get(`/v1/courses/${encodeURIComponent(lecture.course)}`, {}, signal);
  const head = h('div', { class: 'studio-stack' });
  const recording = h('div', { class: 'studio-stack', id: 'recording' });
  const upload = h('div', { class: 'studio-stack', id: 'upload' });
  fill(root, head, h('section', { class: 'panel studio-stack', 'aria-labelledby': 'recording-title' },
    h('h2', { id: 'recording-title', t: 'upload.title' }), recording, upload),
    captionsPanel(lecture, signal), invitationsPanel(lecture, signal));
  showHead(head, lecture, course);

  /** After a state has changed, the words above follow. */
  const refresh = async () => {
    const now = await get(`/v1/lectures/${encodeURIComponent(id)}`, {}, signal);
    Object.assign(lecture, now);
    showHead(head, lecture, course);
  };
  const watch = () => recordingPanel(recording, id, signal, refresh, (state) => uploads.recording(state));
  const uploads = uploadPanel(upload, id, signal, watch);
  // "none" means that nothing was ever uploaded: then there is nothing to ask about.
  if (lecture.playback.state === 'none') uploads.recording(null);
  else watch();
}

/** @param {HTMLElement} head @param {import('../types.js').Lecture} lecture @param {import('../types.js').Course} course */
function showHead(head, lecture, course) {
  const publish = async () => {
    const action = lecture.published ? 'unpublish' : 'publish';
    await call('POST', `/v1/lectures/${encodeURIComponent(lecture.id)}/${action}`);
    lecture.published = !lecture.published;
    showHead(head, lecture, course);
  };
  document.title = `${lecture.title} · ${t('studio.title')}`;
  const live = Boolean(course.published_at);
  const hint = lecture.published ? (live ? 'studio.lecturelive.hint' : 'studio.lecturelive.draft') : 'studio.publishlecture.hint';
  fill(head,
    h('a', { class: 'crumb small', href: `#/courses/${encodeURIComponent(course.slug)}` }, icon('left'), course.title),
    h('div', { class: 'studio-head' },
      h('div', {}, h('h1', {}, lecture.title), h('p', { class: 'badges' }, publishedBadge(lecture.published))),
      h('div', { class: 'actions' },
        h('a', { class: 'button', href: `/lectures/${lecture.id}`, t: 'studio.preview' }),
        actionButton(lecture.published ? 'studio.unpublish' : 'studio.publish', lecture.published ? '' : 'primary', publish))),
    notice(lecture.published && live ? 'good' : 'info', lecture.published && live ? 'check' : 'info', t(hint)));
}
