/** The button by which one enrols in a course. */
import { call, get } from './api.js';
import { fill, h } from './dom.js';
import { t } from './i18n.js';
import { icon } from './icons.js';
import { token } from './session.js';

/** @param {string} slug @returns {HTMLElement} */
export function enrolment(slug) {
  const root = h('span', { class: 'action' });
  const enrolled = () => fill(root, h('a', { class: 'badge good', href: '/learn' }, icon('check'), h('span', { t: 'course.enrolled' })));
  if (!token()) {
    fill(root, h('a', { class: 'button', href: `/learn?next=/courses/${encodeURIComponent(slug)}`, t: 'course.enrol.signin' }));
    return root;
  }
  get('/v1/me/courses', { limit: 100 }).then(({ items }) => {
    if (items.some((/** @type {any} */ item) => item.course.slug === slug)) enrolled();
    else offer();
  }, offer);
  return root;

  function offer() {
    const problem = h('span', { class: 'problem', role: 'alert' });
    const button = h('button', { class: 'button', type: 'button' }, t('course.enrol'));
    button.addEventListener('click', async () => {
      button.disabled = true;
      try {
        await call('PUT', `/v1/courses/${encodeURIComponent(slug)}/enrolment`);
        enrolled();
      } catch (error) {
        problem.textContent = error instanceof Error ? error.message : String(error);
        button.disabled = false;
      }
    });
    fill(root, button, problem);
  }
}
