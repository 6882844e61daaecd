import { COLOURS } from '../../lambda/report/chart/palette.ts';

/** The look of the page: the colours of the mails, light and dark, and those of the categories. */

/** Of lines: 3 : 1 on a card; of their names: 4.5 : 1. */
export const CATEGORY_COLOURS = [
  ['#7a3fb5', '#c59bf2'],
  ['#00756b', '#4fc7ba'],
  ['#a84f00', '#f0a35e'],
  ['#b8317f', '#f08fc4'],
  ['#66650a', '#c9c65a'],
  ['#4d6275', '#9db4c9'],
] as const;

const COLOUR_NAMES = Object.keys(COLOURS) as (keyof typeof COLOURS)[];

function variables(theme: 0 | 1): string {
  return [
    ...COLOUR_NAMES.map((name) => `--${name}:${COLOURS[name][theme]}`),
    ...CATEGORY_COLOURS.map((colours, place) => `--category-${place}:${colours[theme]}`),
    `color-scheme:${theme === 0 ? 'light' : 'dark'}`,
  ].join(';');
}

/** @returns CSS; the page carries it as it is */
export function pageStyle(): string {
  return [
    `:root{${variables(0)}}`,
    `@media screen and (prefers-color-scheme:dark){:root:not([data-theme=light]){${variables(1)}}}`,
    `@media screen{:root[data-theme=dark]{${variables(1)}}}`,
    ...CATEGORY_COLOURS.map((_, place) => `.category-${place}{--line:var(--category-${place})}`),
    RULES,
  ]
    .join('\n')
    .replace(/\n\s*/g, '\n')
    .trim();
}

const RULES = `
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--ink);font:15px/22px -apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Inter,Helvetica,Arial,sans-serif;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
#app{max-width:1160px;margin:0 auto;padding:0 24px}
p,ul,dl,dd,h1,h2{margin:0;padding:0}
ul{list-style:none}
a{color:var(--link);text-underline-offset:2px;text-decoration-thickness:1px}
h1{font-size:26px;line-height:32px;font-weight:600;letter-spacing:-.3px}
h2{font-size:17px;line-height:24px;font-weight:600}
code{font:13px/18px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.soft{color:var(--soft)}.good{color:var(--good)}.bad{color:var(--bad)}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.print-only{display:none}
:focus-visible{outline:2px solid var(--link);outline-offset:2px}
h1:focus,h2:focus,main:focus{outline:none}
.skip{position:absolute;left:-9999px}
.skip:focus{left:16px;top:8px;z-index:9;background:var(--card);padding:6px 12px;border-radius:6px}

header{display:flex;align-items:center;gap:16px;padding:20px 0 4px}
.brand{font-size:13px;line-height:18px;color:var(--soft);display:flex;align-items:center;gap:8px;margin-right:auto}
.logo{width:16px;height:16px;border-radius:5px;background:var(--bar);display:inline-block;position:relative}
.logo::after{content:'';position:absolute;left:4px;bottom:4px;width:8px;height:6px;border-left:2px solid var(--card);border-bottom:2px solid var(--card);transform:skewY(-24deg)}
button,select,input{font:inherit;color:inherit}
button{cursor:pointer}
select,.search,button{border:1px solid var(--edge);border-radius:7px;background:var(--card);padding:5px 11px;min-height:34px}
:root{--edge:color-mix(in srgb,var(--soft) 55%,var(--card))}
select{padding-right:6px;max-width:100%}
button:hover:not(:disabled),select:hover{border-color:var(--soft)}
button:disabled{color:var(--soft);cursor:default;border-color:var(--rule)}
button[aria-pressed=true]{background:var(--bar);border-color:var(--bar);color:var(--card)}
button[aria-pressed=true] .soft,button[aria-pressed=true] .mark{color:inherit}
.theme{display:inline-flex;gap:6px;align-items:center;font-size:13px;padding:4px 10px}
button.theme[aria-pressed=true]{background:var(--card);color:inherit;border-color:var(--edge)}

.summary{display:grid;grid-template-columns:auto 1fr auto;gap:8px 48px;padding:8px 0 24px;align-items:start}
main>h1{font-size:22px;line-height:28px;padding-top:6px}
.score{font-size:52px;line-height:56px;font-weight:600;letter-spacing:-1.5px}
.now .soft,.peers{font-size:13px;line-height:19px}
.way{padding-top:9px;max-width:520px}
.moved strong{font-size:20px;line-height:28px}
.causes{margin-top:8px;max-width:520px}
.bars{display:flex;gap:2px;height:8px;border-radius:4px;overflow:hidden;margin-bottom:8px}
.part{min-width:3px;background:var(--bar)}
.part.minus{opacity:.75;background-image:repeating-linear-gradient(135deg,transparent 0 3px,var(--card) 3px 5px)}
.part.decided,.key.decided{background-color:var(--category-1)}
.part.microsoft,.key.microsoft{background-color:var(--ink)}
.part.rest,.key.rest{background-color:var(--edge)}
.key.earned{background-color:var(--bar)}
.causes ul{display:flex;flex-wrap:wrap;gap:2px 20px;font-size:13px;line-height:19px}
.causes b{font-weight:600}
.key{display:inline-block;width:9px;height:9px;border-radius:3px;background:var(--line,var(--bar));margin-right:6px}
.key.dashed{width:16px;height:0;border-radius:0;border-top:2px dashed var(--line,var(--soft));background:none;vertical-align:middle}
.key.line{width:16px;height:3px;vertical-align:middle;background:var(--bar)}
.key.decided-band{background:color-mix(in srgb,var(--category-1) 24%,var(--card))}
.peers{display:grid;gap:6px;padding-top:12px}
.peers dt{color:var(--soft)}
.peers strong{font-size:15px;font-weight:600}

.card{background:var(--card);border:1px solid var(--rule);border-radius:12px;padding:18px 22px;margin:0 0 16px}
.chart-head{display:flex;flex-wrap:wrap;gap:8px 16px;align-items:center;justify-content:space-between;margin-bottom:6px}
.periods{display:flex;flex-wrap:wrap;align-items:center}
.periods button{border-radius:0;margin-left:-1px;font-size:13px;padding:4px 12px;min-height:32px}
.periods button:first-child{border-radius:7px 0 0 7px;margin:0}
.periods button:nth-last-child(1 of button){border-radius:0 7px 7px 0}
.periods button:only-of-type{border-radius:7px}
.periods button[aria-pressed=true],.periods button:focus-visible{position:relative;z-index:1}
.custom{font-size:13px;margin-left:12px;font-weight:600}

.plot{position:relative;touch-action:pan-y;cursor:crosshair;border-radius:4px;user-select:none;-webkit-user-select:none}
.plot svg,.brush svg{display:block;max-width:100%}
svg text{font-size:13px;fill:var(--soft)}
.axes line{stroke:var(--rule)}
.axes .tick{stroke:var(--edge)}
.axes .strong{font-weight:600;fill:var(--ink)}
.fade-top{stop-color:var(--bar);stop-opacity:.24}
.fade-bottom{stop-color:var(--bar);stop-opacity:.02}
.area{fill:url(#fade)}.area.life{fill:url(#fade-life)}
.line{fill:none;stroke:var(--bar);stroke-width:2.25;stroke-linejoin:round;stroke-linecap:round}
.gap{fill:none;stroke:var(--soft);stroke-width:2;stroke-dasharray:2 5;stroke-linecap:round}
.series{fill:none;stroke:var(--line,var(--soft));stroke-width:1.75;stroke-linejoin:round}
.series.dashed,.series.most{stroke-dasharray:5 4;stroke-width:1.5}
.peers-peersAll.dashed{stroke-dasharray:2 4}
.key.peers-peersAll{border-top-style:dotted}
.rug{fill:none;stroke-width:1.5}
.rug.here{stroke:var(--bar)}.rug.microsoft{stroke:var(--ink)}
.mark-here{fill:var(--card);stroke:var(--bar);stroke-width:2.5}
.mark-microsoft{fill:var(--ink);stroke:var(--card);stroke-width:1.5}
.label{font-size:13px;font-weight:600;fill:var(--ink);stroke:var(--card);stroke-width:4px;stroke-linejoin:round;paint-order:stroke}
.leader{stroke:var(--soft);stroke-width:1}
.label.last{font-size:15px;fill:var(--bar)}
.label.small{font-size:12px;font-weight:400;fill:var(--line,var(--soft))}
.end,.dot{fill:var(--bar);stroke:var(--card);stroke-width:2}
.dot.other{fill:var(--soft);stroke-width:1.5}
.cursor{stroke:var(--soft);stroke-width:1}
.picked{stroke:var(--link);stroke-width:2;stroke-dasharray:4 3}
.drag{fill:var(--bar);opacity:.16}
.band{fill:var(--category-1);opacity:.16}
.tip{position:absolute;top:4px;max-width:min(300px,62%);min-width:150px;background:var(--card);border:1px solid var(--edge);border-radius:9px;box-shadow:0 6px 20px rgb(0 0 0/.16);padding:9px 12px;font-size:13px;line-height:18px;pointer-events:none;z-index:3}
.tip-day{color:var(--soft)}
.tip-score strong{font-size:18px;line-height:24px}
.tip ul{margin-top:6px;padding-top:6px;border-top:1px solid var(--rule)}
.tip li{display:flex;gap:6px}
.tip .amount{margin-left:auto;padding-left:8px;white-space:nowrap}
.tip-line .key{vertical-align:middle}
.keys{margin-top:3px;font-size:12px;line-height:18px;color:var(--soft);visibility:hidden;text-align:center}
.plot:focus-visible .x,div:has(>.plot:focus-visible)+.keys{visibility:visible}
.brush{position:relative;margin:2px 0 0;background:color-mix(in srgb,var(--track) 55%,var(--card));border-radius:6px;touch-action:none;cursor:pointer}
.brush .all{fill:var(--edge);opacity:.75}
.window{position:absolute;top:0;bottom:0;border:2px solid var(--bar);border-width:2px 0;background:color-mix(in srgb,var(--bar) 16%,transparent);cursor:grab}
.handle{position:absolute;top:0;bottom:0;width:24px;margin-left:-12px;cursor:ew-resize;border-radius:6px}
.handle::after{content:'';position:absolute;left:8px;top:0;bottom:0;width:8px;border-radius:4px;background:var(--bar)}
.legend{display:flex;flex-wrap:wrap;align-items:center;gap:6px 20px;font-size:13px;line-height:18px;color:var(--soft);margin-top:12px}
.legend svg{vertical-align:-2px;margin-right:5px}
.toggles{display:flex;flex-wrap:wrap;gap:6px;margin-left:auto}
.chip{font-size:13px;line-height:18px;padding:3px 11px;min-height:28px;border-radius:14px;color:var(--ink)}
.toggles .chip[aria-pressed=true]{background:var(--track);color:var(--ink);border-color:var(--soft)}
.toggles .chip[aria-pressed=false]{color:var(--soft);border-style:dashed}

.categories{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin:0 0 16px}
.category{display:grid;gap:1px;text-align:left;background:var(--card);border:1px solid var(--rule);border-radius:12px;padding:11px 14px 8px}
.category .name{font-size:13px;line-height:18px;color:var(--soft)}
.category .figure{font-size:19px;line-height:26px;font-weight:600}
.category .figure span{font-size:13px;font-weight:400}
.category svg{width:100%;height:34px}
p.category{align-content:start}
.spark path{fill:none;stroke:var(--bar);stroke-width:1.75;stroke-linejoin:round}
.category path{fill:none;stroke:var(--line);stroke-width:1.75;stroke-linejoin:round}
button.category[aria-pressed=true]{background:color-mix(in srgb,var(--line) 9%,var(--card));border-color:var(--line);box-shadow:inset 0 0 0 1px var(--line);color:var(--ink)}

.day-head{display:flex;flex-wrap:wrap;gap:8px 16px;justify-content:space-between;align-items:center;margin-bottom:8px}
.day-score{font-weight:400;margin-left:12px}
.day-buttons{display:flex;flex-wrap:wrap;gap:6px}
.day-buttons button,.more button{font-size:13px;padding:3px 11px;min-height:30px}
.day-panel .causes{margin-bottom:10px}

.tabs{display:flex;flex-wrap:wrap;gap:4px 24px;border-bottom:1px solid var(--rule);margin-bottom:14px}
.tabs button{background:none;border:0;border-radius:0;padding:4px 0 8px;font-weight:600;color:var(--soft)}
.tabs button .soft{font-weight:400;font-size:13px}
.tabs button[aria-selected=true]{color:var(--ink);box-shadow:inset 0 -3px 0 var(--bar)}
.filters{display:flex;flex-wrap:wrap;gap:8px}
.search{flex:1 1 220px;min-width:0}
.search::placeholder{color:var(--soft);opacity:1}
.chips{display:flex;flex-wrap:wrap;gap:6px;margin-top:10px}
.clear{border:0;background:none;color:var(--link);text-decoration:underline;font-size:13px;min-height:28px;padding:3px 6px}
.result{font-size:13px;line-height:19px;margin:10px 0 2px}
.empty{padding:18px 0;color:var(--soft)}
.mark{display:inline-block;min-width:14px;text-align:center;font-weight:600;color:var(--soft)}
.mark.good{color:var(--good)}.mark.bad{color:var(--bad)}.mark.microsoft{color:var(--ink)}.mark.here{color:var(--category-1)}

table{width:100%;border-collapse:collapse;font-size:14px;line-height:20px}
th{text-align:left;font-weight:400;font-size:12px;line-height:16px;color:var(--soft);padding:4px 12px 4px 0;border-bottom:1px solid var(--rule);vertical-align:middle;height:32px;white-space:nowrap}
td{padding:8px 12px 8px 0;border-bottom:1px solid var(--rule);vertical-align:top}
tr:last-child td{border-bottom:0}
th:last-child,td:last-child{padding-right:0}
th.number,td.number{text-align:right}
td,th{overflow-wrap:normal}
td.c-what{overflow-wrap:anywhere}
td.c-date,td.c-kind,td.c-share,td.c-cause,td.c-changed,td.c-missing,td.c-score,td.c-total,td.c-here,td.c-microsoft,td.c-peers,.of,td.c-from,td.c-to{white-space:nowrap}
td.c-points{min-width:92px;max-width:230px}
td.c-what{min-width:200px;width:52%}
td.c-what a{font-weight:500}
.about{display:block;font-size:12px;line-height:17px}
p.about{font-size:13px;line-height:20px}
.sort{vertical-align:middle;border:0;background:none;padding:2px 0;min-height:24px;font-size:12px;line-height:16px;color:inherit;border-radius:3px}
.sort:hover{text-decoration:underline}
.arrow{display:inline-block;width:12px;text-align:center}
.number .sort{display:inline-flex;flex-direction:row-reverse;align-items:center}
.link{border:0;background:none;color:var(--link);text-decoration:underline;padding:0 4px;min-height:24px;font-size:inherit}
.more{display:flex;flex-wrap:wrap;gap:8px 12px;align-items:center;padding:14px 0 2px;font-size:13px}
.standing{display:inline-flex;align-items:center;gap:10px;justify-content:flex-end;vertical-align:top}
td.c-cause,th:last-child{padding-left:10px}
.track{width:64px;height:6px;border-radius:3px;background:var(--track);overflow:hidden;display:inline-block}
.bar{display:block;height:100%;background:var(--bar)}
.of{min-width:62px}

.control-page{padding-top:12px}
.control-page h1{margin:8px 0 4px}
.facts{display:flex;flex-wrap:wrap;gap:10px 36px;margin:14px 0 18px}
.facts dt{font-size:12px;line-height:17px;color:var(--soft)}
.facts dd{font-weight:600}
.card h2{margin-bottom:6px}
.chart-head h2,.day-head h2{margin:0}
.notice{font-size:13px;line-height:20px;color:var(--soft);border-left:3px solid var(--bad);padding:2px 0 2px 12px;margin:6px 0 10px;max-width:900px}
.notice strong{color:var(--ink);font-weight:600}
.badge{display:inline-block;font-size:11px;line-height:16px;padding:0 7px;border:1px solid var(--edge);border-radius:9px;color:var(--soft);font-weight:400;white-space:nowrap}
.figures{display:grid;grid-template-columns:auto auto;gap:2px 14px;padding-top:6px;font-size:13px;line-height:19px;justify-content:start}
.figure-link{border:0;background:none;padding:2px 4px;min-height:26px;color:var(--soft);text-align:left;white-space:nowrap}
.figure-link strong{font-size:17px;font-weight:600}
.figure-link:hover:not(:disabled){text-decoration:underline}
.between{fill:var(--bar);opacity:.18}
.since{stroke:var(--soft);stroke-width:1;stroke-dasharray:2 4}
.key.band-key{background:color-mix(in srgb,var(--bar) 22%,var(--card));width:16px;vertical-align:middle}
.series.compared{stroke-width:2.25}
.key.line-of{width:16px;height:3px;vertical-align:middle}
.label.ends{fill:var(--line)}
.spark{display:block;width:120px;height:30px}
td.c-choose{width:30px;padding-right:4px}
td.c-choose input{width:18px;height:18px;margin:1px 0;accent-color:var(--bar)}
td.c-tenant{min-width:150px;overflow-wrap:anywhere}
td.c-tenant a{font-weight:500}
td.c-loss{min-width:200px;max-width:300px;overflow-wrap:anywhere}
td.c-latest,td.c-days,td.c-lost{white-space:nowrap}
.total{font-weight:600}
a.quiet{color:inherit;text-decoration-color:var(--edge)}
.chosen{position:sticky;bottom:0;display:flex;flex-wrap:wrap;gap:8px 12px;align-items:center;background:var(--card);border:1px solid var(--bar);border-radius:9px;padding:8px 14px;margin-top:12px;font-size:13px}
.chosen.none{display:none}
.chosen p{margin-right:auto}
.button{border-radius:7px;background:var(--bar);color:var(--card);padding:5px 12px;text-decoration:none;font-weight:600}
.done{font-size:14px;margin-bottom:4px}
.facts+.done{margin-top:-6px}
.done+.card{margin-top:14px}
.wide{overflow-x:auto}
.side{table-layout:fixed}
.side th[scope=row]{font-size:13px;white-space:normal;min-width:120px}
.side th[scope=col]{font-size:14px;white-space:normal;overflow-wrap:anywhere;vertical-align:bottom}
.side thead td{border-bottom:1px solid var(--rule)}
.side tr:last-child th[scope=row]{border-bottom:0}
.side td{white-space:nowrap}
header nav{font-size:14px}
footer{font-size:12px;line-height:18px;padding:8px 0 32px}
.loading,.failed{padding:48px 0;color:var(--soft)}

@media (max-width:900px){
.summary{grid-template-columns:auto 1fr;gap:12px 32px}
.peers{grid-column:1/-1;grid-auto-flow:column;justify-content:start;gap:24px;padding-top:0}
}
@media screen and (max-width:640px){
#app{padding:0 12px}
header{flex-wrap:wrap;gap:8px 12px;padding-top:12px}
.brand{margin-right:auto}
.theme-word{display:none}
.summary{grid-template-columns:1fr;padding:12px 4px 16px}
.score{font-size:44px;line-height:48px}
.way{padding-top:0}
.card{padding:14px}
.toggles{margin-left:0}
.tabs{gap:4px 18px}
.tabs button{font-size:14px}
.filters .search{flex-basis:100%}
.filters select{flex:1 1 120px;min-width:0}
.categories{grid-template-columns:1fr 1fr;gap:8px}
.figures{grid-template-columns:1fr 1fr}
.keys{display:none}
.day-score{display:block;margin:0}
table,tbody,tr,td{display:block}
thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
tr{padding:10px 0;border-bottom:1px solid var(--rule)}
tr:last-child{border-bottom:0}
td,td.number{border:0;padding:1px 0;text-align:left;white-space:normal;min-width:0}
.none{display:none}
td.c-what{width:auto}
td[data-label]:not(.c-what):not(.c-date):not(.c-kind):not(.c-tenant):not(.c-choose):not(.c-line)::before{content:attr(data-label) ' ';color:var(--soft);font-size:12px;margin-right:6px}
td.c-date,td.c-kind,td.c-points,td.c-share,td.c-cause,td.c-missing,td.c-decision,td.c-changed,td.c-total,td.c-here,td.c-microsoft,td.c-peers,td.c-changes,td.c-days,td.c-score,td.c-from,td.c-to{display:inline-block;margin-right:14px;font-size:13px;max-width:100%}
td.c-share:has(.soft),td.none{display:none}
.fleet-table tr{display:grid;grid-template-columns:30px 1fr auto;gap:0 8px;align-items:start}
.fleet-table td{grid-column:2/-1;max-width:none;margin:0}
.fleet-table td.c-choose{grid-column:1;grid-row:1}
.fleet-table td.c-tenant{grid-column:2;grid-row:1}
.fleet-table td.c-score{grid-column:3;grid-row:1;font-weight:600;font-size:15px}
.fleet-table td.c-score::before{display:none}
.fleet-table td.c-loss,.fleet-table td.c-latest{font-size:13px}
.fleet-table td .about{display:inline;margin-left:6px}
.fleet-table td.c-tenant .about{display:block;margin:0}
.spark{width:100%;max-width:220px}
.side thead{position:static;clip-path:none;height:auto;width:auto}
.side tr{display:grid;grid-template-columns:repeat(var(--tenants),minmax(0,1fr));gap:0 4px;padding:6px 0}
.side thead td{display:none}
.side th{border:0;padding:0;height:auto}
.side th[scope=row]{grid-column:1/-1;font-size:12px}
.side th[scope=col]{font-size:12px;text-align:left}
td.c-cause{padding-left:0}
td .track{width:40px}
.of{min-width:0}
.standing{justify-content:flex-start;vertical-align:middle}
}
@media (forced-colors:active){
button[aria-pressed=true],.tabs button[aria-selected=true]{outline:2px solid Highlight;outline-offset:-3px}
.key,.part,.bar,.handle::after{forced-color-adjust:none}
}
@media print{
body{background:none;font-size:11pt}
#app{max-width:none;padding:0}
.no-print,.brush,.toggles,.tip,.tabs,.keys{display:none!important}
.print-only{display:block}
.card{border:0;padding:0;margin-bottom:14pt}
.plot{height:auto!important}
.plot svg{width:100%;height:auto}
.summary,.categories,tr,.chart{break-inside:avoid}
.notice{border-left-width:2pt}
td.c-choose,th:has(+th):first-child:not(:has(button)){display:none}
.spark{width:90px}
thead{display:table-header-group}
td,th{padding-top:3pt;padding-bottom:3pt}
a{color:inherit;text-decoration:none}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
@page{margin:14mm}
}
`;
