/** The words of the opportunities' page: [Chinese, English]. */

/** @type {Record<string, [string, string]>} */
export const opportunityStrings = {
  'offers.title': ['实习与工作', 'Internships and jobs'],
  'offers.lead': ['合作伙伴为学习者提供的机会。', 'What partners of the programme offer to learners.'],
  'offers.filters': ['筛选机会', 'Filter the opportunities'],
  'offers.kind': ['类型', 'Kind'],
  'offers.kind.internship': ['实习', 'Internship'],
  'offers.kind.job': ['工作', 'Job'],
  'offers.until': ['截止日期：{day}', 'Open until {day}'],
  'offers.today': ['今天截止', 'Closes today'],
  'offers.left.one': ['还剩 1 天', '1 day left'],
  'offers.left': ['还剩 {n} 天', '{n} days left'],
  'offers.open': ['查看详情', 'See the offer'],
  'offers.open.at': ['查看详情：{title}', 'See the offer: {title}'],
  'offers.shown': ['已显示 {n} 个机会', '{n} opportunities shown'],
  'offers.none': ['目前没有开放的机会', 'Nothing is open at the moment'],
  'offers.none.hint': ['合作伙伴发布之后，会显示在这里。', 'What partners post appears here.'],
  'offers.empty': ['没有符合条件的机会', 'No opportunity matches'],
  'offers.failed': ['机会没有加载出来', 'The opportunities did not load'],
};
