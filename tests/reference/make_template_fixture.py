"""Writes tests/data/templates.json: templates, contexts, and what Jinja2 makes of them in the environment that
`transformers` uses for chat templates.

    pip install jinja2
    python tests/reference/make_template_fixture.py
"""
import json
import pathlib

import jinja2
import jinja2.ext
from jinja2.sandbox import ImmutableSandboxedEnvironment

DATA = pathlib.Path(__file__).resolve().parent.parent / "data"


class Raised(Exception):
    pass


def raise_exception(message):
    raise Raised(message)


def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


class Generation(jinja2.ext.Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_support"), [], [], body).set_lineno(line)

    def _support(self, caller):
        return caller()


environment = ImmutableSandboxedEnvironment(
    trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])
environment.filters["tojson"] = tojson
environment.globals["raise_exception"] = raise_exception

CONTEXT = {
    "n": 7, "x": 2.5, "s": "Hello, World", "u": "Grüße, 世界 🙂", "empty": "", "none_value": None, "yes": True, "no": False,
    "list": [3, 1, 2], "words": ["banana", "Apple", "cherry"], "d": {"b": 1, "a": 2, "items": 3}, "nested": {"k": [{"v": 1}]},
    "people": [{"name": "Ann", "age": 30, "tags": ["x"]}, {"name": "bob", "age": 25}, {"name": "Cid", "age": 30, "admin": True}],
    "text": "  line one\nline two\n\nline four  ",
}

SMALL = """
{{ 1 + 2 * 3 - 4 / 2 }}|{{ 7 // 2 }}|{{ -7 // 2 }}|{{ 7 % 3 }}|{{ -7 % 3 }}|{{ 2 ** 10 }}|{{ 2 ** 3 ** 2 }}|{{ 2 ** -1 }}
{{ 7.0 // 2 }}|{{ 7.5 % 2 }}|{{ 1e3 }}|{{ 1.5e-7 }}|{{ 1e16 }}|{{ 123456789012345.6 }}|{{ 0.1 + 0.2 }}|{{ 1_000 }}|{{ 10 / 5 }}
{{ -n }}|{{ +n }}|{{ - 3 + 5 }}|{{ -3|abs }}|{{ (-3)|abs }}|{{ -2 ** 2 }}|{{ not n }}|{{ not not n }}
{{ 'a' ~ 1 ~ none ~ true ~ 2.0 }}|{{ 'a' + 'b' * 3 }}|{{ [1] + [2] }}|{{ (1,) + (2, 3) }}|{{ [0] * 3 }}
{{ 1 < 2 < 3 }}|{{ 3 > 2 > 2 }}|{{ 1 == 1.0 }}|{{ 'a' < 'b' }}|{{ [1, 2] < [1, 3] }}|{{ 1 != 2 }}|{{ none == none }}|{{ true == 1 }}
{{ 2 in list }}|{{ 9 not in list }}|{{ 'World' in s }}|{{ 'a' in d }}|{{ 'zz' in d }}|{{ 1 in missing }}
{{ n if yes else x }}|{{ n if no else x }}|{{ 'only' if no }}|{{ 1 if no else 2 if no else 3 }}
{{ none or 'dflt' }}|{{ 0 and 1 }}|{{ '' or [] or 'last' }}|{{ 1 and 2 }}|{{ no or none }}
{{ s[0] }}{{ s[-1] }}|{{ s[1:4] }}|{{ s[::-1] }}|{{ s[:-7] }}|{{ s[7:] }}|{{ s[::2] }}|{{ s[10:2:-3] }}|{{ u[0:8] }}|{{ u[-1] }}
{{ list[0] }}|{{ list[-1] }}|{{ list[1:] }}|{{ list[::-1] }}|{{ list[5:] }}|{{ list[-100:100] }}|{{ list[99] }}|{{ (1, 2, 3)[1:] }}
{{ d.a }}|{{ d['a'] }}|{{ d['items'] }}|{{ d.get('zz') }}|{{ d.get('zz', 5) }}|{{ nested.k[0].v }}|{{ nested['k'][0]['v'] }}|{{ d.zz }}|{{ list.0 }}
{{ {'x': 1, 'y': [1, 'two', none, true, 2.0]} }}|{{ () }}|{{ (1,) }}|{{ [] }}|{{ {} }}|{{ ['it\\'s', "q\\"q", 'a\\\\b\\n'] }}|{{ [u] }}
{{ 'a\\tb\\x41\\u00e9\\101' }}|{{ "dq 'in' it" }}|{{ 'one' 'two' }}|{{ '\\q' }}
{% set a = 1 %}{% set b, c = 2, 3 %}{{ a }}{{ b }}{{ c }}{% set a = a + 10 %}{{ a }}
{% for i in list %}{{ loop.index }}/{{ loop.length }}:{{ i }}{{ ',' if not loop.last }}{% endfor %}
{% for i in list %}{{ loop.index0 }} {{ loop.revindex }} {{ loop.revindex0 }} {{ loop.first }} {{ loop.last }} {{ loop.previtem }} {{ loop.nextitem }};{% endfor %}
{% for i in [] %}x{% else %}nothing{% endfor %}|{% for i in missing %}x{% else %}none at all{% endfor %}
{% for p in people if p.age == 30 %}{{ loop.index }}{{ p.name }}{% if not loop.last %}, {% endif %}{% endfor %}
{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}{% for k in d %}{{ k }}{% endfor %}{{ d.keys()|list }}{{ d.values()|list }}
{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}|{% for c in 'añb' %}[{{ c }}]{% endfor %}
{% set outer = 0 %}{% for i in list %}{% set outer = i %}{{ outer }}{% endfor %}{{ outer }}
{% set ns = namespace(total=0, seen=[]) %}{% for i in list %}{% set ns.total = ns.total + i %}{% set ns.seen = ns.seen + [i] %}{% endfor %}{{ ns.total }}{{ ns.seen }}
{% if yes %}{% set leak = 1 %}{% endif %}{{ leak }}|{{ leak is defined }}|{% if no %}a{% elif n == 7 %}b{% else %}c{% endif %}|{% if no %}a{% elif no %}b{% else %}c{% endif %}
{% for i in range(10) %}{% if i == 2 %}{% continue %}{% endif %}{% if i == 5 %}{% break %}{% endif %}{{ i }}{% endfor %}
{{ range(5)|list }}|{{ range(2, 8, 3)|list }}|{{ range(5, 0, -2)|list }}|{{ range(0)|list }}
{% macro greet(name, greeting='Hi', *_) %}{% endmacro %}
{% macro greet(name, greeting='Hi') %}{{ greeting }} {{ name }}!{% endmacro %}{{ greet('Ann') }}{{ greet('Bob', 'Yo') }}{{ greet(greeting='Hey', name='Cy') }}{{ greet() }}
{% macro fact(k) %}{% if k < 2 %}1{% else %}{{ k * (fact(k - 1)|int) }}{% endif %}{% endmacro %}{{ fact(10) }}
{% set prefix = '>' %}{% macro m(v) %}{{ prefix }}{{ v }}{% set inner = 1 %}{% endmacro %}{{ m(1) }}{{ inner is defined }}
{% macro wrap() %}<{{ caller() }}>{% endmacro %}{% call wrap() %}in{{ n }}{% endcall %}|{% macro each(xs) %}{% for q in xs %}{{ caller(q) }}{% endfor %}{% endmacro %}{% call(z) each(list) %}[{{ z }}]{% endcall %}
{% set block %}  some {{ n }} text {% endset %}[{{ block }}]|{% set up | upper | trim %} shout {% endset %}[{{ up }}]
{% filter upper %}quiet {{ s }}{% endfilter %}|{% filter replace('a', 'b')|title %}aaa bb{% endfilter %}
{% with a = 1, b = n %}{{ a }}{{ b }}{% endwith %}{{ a is defined }}
{% generation %}gen {{ n }}{% endgeneration %}
{% raw %}{{ not }} {% evaluated %}{% endraw %}|{# comment {{ x }} #}|{%- raw -%}  tight  {%- endraw -%}  |
{{ text|trim }}|{{ text|length }}|{{ u|length }}|{{ list|count }}|{{ d|length }}|{{ missing|length }}|{{ 'xxaxx'|trim('x') }}
{{ s|upper }}|{{ s|lower }}|{{ 'hello wORLD-foo (bar) it\\'s'|title }}|{{ 'hELLO wORLD'|capitalize }}|{{ u|upper }}
{{ s|replace('l', 'L') }}|{{ s|replace('l', 'L', 1) }}|{{ 'aaa'|replace('', '-') }}|{{ 12|replace(1, 3) }}
{{ missing|default('d1') }}|{{ empty|default('d2') }}|{{ empty|default('d3', true) }}|{{ none_value|default('d4') }}|{{ none_value|d('d5', boolean=true) }}|{{ missing|default }}
{{ list|first }}|{{ list|last }}|{{ []|first }}|{{ s|first }}|{{ s|list }}|{{ d|list }}
{{ words|join(', ') }}|{{ list|join }}|{{ people|join('+', attribute='name') }}|{{ [1, none, true, 'x']|join('-') }}
{{ people|map(attribute='name')|list }}|{{ words|map('upper')|join(' ') }}|{{ people|map(attribute='admin', default='no')|list }}|{{ list|map('string')|list }}|{{ people|map(attribute='tags.0')|map('default', '?')|list }}
{{ people|selectattr('age', 'equalto', 30)|map(attribute='name')|list }}|{{ people|rejectattr('age', 'gt', 26)|map(attribute='name')|list }}|{{ people|selectattr('admin')|list|length }}|{{ people|selectattr('admin', 'defined')|list|length }}
{{ [1, 0, 2, none, '']|select|list }}|{{ [1, 2, 3, 4]|select('odd')|list }}|{{ [1, 2, 3, 4]|reject('divisibleby', 2)|list }}|{{ ['a', 1, none]|select('string')|list }}
{{ '42'|int }}|{{ '4.9'|int }}|{{ 'x'|int }}|{{ 'x'|int(5) }}|{{ 3.99|int }}|{{ '0x1f'|int(base=16) }}|{{ true|int }}|{{ none|int }}|{{ '1.5'|float }}|{{ 'x'|float }}|{{ 3|float }}
{{ -5|abs }}|{{ 2.5|round }}|{{ 3.14159|round(2) }}|{{ 2.1|round(method='ceil') }}|{{ 2.9|round(0, 'floor') }}|{{ 1234|round(-2) }}
{{ list|reverse|list }}|{{ s|reverse }}|{{ list|sort }}|{{ words|sort }}|{{ words|sort(case_sensitive=true) }}|{{ list|sort(reverse=true) }}|{{ people|sort(attribute='age')|map(attribute='name')|list }}
{{ [1, 2, 1, 3, 2]|unique|list }}|{{ ['a', 'A', 'b']|unique|list }}|{{ list|min }}|{{ list|max }}|{{ list|sum }}|{{ people|sum(attribute='age') }}
{{ text|indent }}|{{ text|indent(2, true) }}|{{ text|indent('> ', first=true, blank=true) }}|{{ 'a\\nb\\n'|indent(1) }}|{{ ''|indent(2, true) }}
{{ d|dictsort }}|{{ d|dictsort(by='value') }}|{{ d|dictsort(reverse=true) }}|{{ d|items|list }}|{{ '<a href="x">&\\'</a>'|e }}|{{ '<b>'|safe }}
{{ d|tojson }}|{{ people|tojson }}|{{ people[0]|tojson(indent=2) }}|{{ u|tojson }}|{{ [1.0, 1e20, none, true, 'a"b\\\\c\\n\\t']|tojson }}|{{ {}|tojson(indent=4) }}{{ []|tojson(indent=4) }}|{{ {'b': 1, 'a': {'z': [1, 2]}}|tojson(sort_keys=true, separators=(',', ':')) }}
{{ n is defined }}|{{ zz is defined }}|{{ zz is undefined }}|{{ none is none }}|{{ n is none }}|{{ s is string }}|{{ n is string }}|{{ d is mapping }}|{{ list is mapping }}|{{ list is iterable }}|{{ n is iterable }}|{{ s is iterable }}|{{ list is sequence }}|{{ d is sequence }}
{{ n is number }}|{{ x is number }}|{{ yes is number }}|{{ s is number }}|{{ yes is boolean }}|{{ n is boolean }}|{{ yes is true }}|{{ no is false }}|{{ 1 is true }}|{{ n is integer }}|{{ yes is integer }}|{{ x is float }}|{{ greet is callable }}|{{ range is callable }}
{{ n is odd }}|{{ n is even }}|{{ n is divisibleby 7 }}|{{ n is divisibleby(2) }}|{{ n is eq 7 }}|{{ n is equalto 8 }}|{{ n is ne 7 }}|{{ n is gt 3 }}|{{ n is lt(3) }}|{{ n is in [7, 8] }}|{{ 'A' is upper }}|{{ 'a' is upper }}|{{ 'a1' is lower }}|{{ n is not none }}|{{ not n is none }}
{{ s is string and n is number }}|{{ s is not string or n is not number }}|{{ 'yes' if n is defined else 'no' }}|{{ n is sameas 7 }}|{{ true is sameas true }}
{{ s.split(', ') }}|{{ ' a  b c '.split() }}|{{ 'a,b,c'.split(',', 1) }}|{{ 'a,b,c'.rsplit(',', 1) }}|{{ ''.split(',') }}|{{ ''.split() }}|{{ 'a b c d'.split(none, 2) }}|{{ 'x'.split('x') }}
{{ text.strip() }}|{{ text.lstrip() }}|{{ text.rstrip() }}|{{ 'xxabxx'.strip('x') }}|{{ 'xyab'.lstrip('yx') }}|{{ 'ab...'.rstrip('.') }}|{{ '</think>a'.split('</think>')[-1] }}
{{ s.startswith('Hell') }}|{{ s.endswith('x') }}|{{ s.startswith(('a', 'He')) }}|{{ s.upper() }}|{{ s.lower() }}|{{ "they're bill's".title() }}|{{ 'aBC'.capitalize() }}|{{ s.replace('o', '0') }}|{{ s.replace('o', '0', 1) }}
{{ s.find('World') }}|{{ s.find('zz') }}|{{ u.find('世') }}|{{ s.rfind('o') }}|{{ s.count('l') }}|{{ 'aaa'.count('') }}|{{ '-'.join(['a', 'b']) }}|{{ list.count(3) }}|{{ list.index(2) }}|{{ '12'.isdigit() }}|{{ 'a\\nb\\r\\nc'.splitlines() }}|{{ 'abc'.removeprefix('a') }}|{{ 'abc'.removesuffix('c') }}
{{ '%s is %d and %.2f, %5d|%-5s|%05d|%x' % ('a', 3, 2.5, 42, 'l', 7, 255) }}|{{ '%s' % 'x' }}|{{ '100%%' % () }}|{{ '%s-%s'|format('a', 'b') }}|{{ '{} and {}'.format(1, 'b') }}|{{ '{0}{1}{0} {k}'.format('a', 'b', k=2) }}|{{ '{{}}'.format() }}
{{ dict(a=1, b='x') }}|{{ dict([('k', 1)]) }}|{{ dict({'a': 1}, b=2).b }}|{{ namespace(a=1).a }}
{{ [1, 2, 3, 4, 5]|batch(2)|list }}|{{ [1, 2, 3]|batch(2, 'x')|list }}|{{ 'two words here'|wordcount }}|{{ d|attr('a') }}
{% for i in list %}{{ loop.cycle('odd', 'even') }}{{ loop.changed(i > 2) }} {% endfor %}
  {% if yes %}
  indented
  {% endif %}
tail
{%- if yes -%}   tight   {%- endif -%}   after
a   {{- n -}}   b {{ n -}}
 c {{ n }}
d
{{ n }}
{% if yes %}
x
{% endif %}

y
   {%+ if yes %}kept{% endif %}   {% if yes +%}
kept newline{% endif %}
line   {# comment #}
   {# own line #}
next {#- strip -#}   end
{% for i in list -%}
  {{ i }}
{%- endfor %}
{{ {'a': {'b': 1}}.a.b }}|{{ {'}}': '%}'}['}}'] }}|{{ "{{ }}" }}|{{ '{% %}' }}
{{ (1, 2)|length }}|{{ (1 + 2) * 3 }}|{{ [[1, 2], [3]][0][1] }}|{{ ((((1)))) }}|{{ [1, 2,] }}|{{ 1, 2 }}
{{ true }}{{ True }}{{ false }}{{ none }}{{ None }}|{{ n.missing }}|{{ 'x' if missing else 'y' }}|{{ missing ~ 'z' }}|{{ missing == other_missing }}|{{ missing == '' }}
{{ missing.attribute }}
{{ missing() }}
{{ missing + 1 }}
{{ 1 + 'a' }}
{{ 'a' + 1 }}
{{ 1 / 0 }}
{{ 1 < 'a' }}
{{ none|length }}
{{ n() }}
{{ 5|join }}
{{ s|nosuchfilter }}
{{ s is nosuchtest }}
{{ raise_exception('Conversation roles must alternate user/assistant/…') }}
{% if n == 7 %}{{ raise_exception('n is ' ~ n) }}{% endif %}
{{ 1 + }}
{{ (1 }}
{{ [1, 2 }}
{% if yes %}open
{% endif %}
{% for x %}{% endfor %}
{% nosuchtag %}
{{ 'open }}
{# open
{% raw %}open
{% set 1 = 2 %}
{% set s.x = 2 %}
{{ list.append(4) }}
{{ d.update({'a': 5}) }}
{{ s|replace('a') }}
{{ s|upper(1) }}
{{ greet(1, 2, 3, 4) }}
{% macro one(a) %}{% endmacro %}{{ one(1, 2) }}
{% macro one(a) %}{% endmacro %}{{ one(b=2) }}
{% set a, b = [1, 2, 3] %}
{{ range(1000000) }}
{% macro loop_forever() %}{{ loop_forever() }}{% endmacro %}{{ loop_forever() }}
{% break %}
{{ 3 in 5 }}
{{ 3 in 'abc' }}
{{ d[[1]] }}
{{ -s }}
{{ s[::0] }}
"""

LLAMA2 = """{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system_message = messages[0]['content'] %}{% else %}{% set loop_messages = messages %}{% set system_message = false %}{% endif %}{% for message in loop_messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}{% if loop.index0 == 0 and system_message != false %}{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}{% else %}{% set content = message['content'] %}{% endif %}{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ ' '  + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}"""

LLAMA3 = """{{- bos_token }}
{%- if custom_tools is defined %}
    {%- set tools = custom_tools %}
{%- endif %}
{%- if not date_string is defined %}
    {%- set date_string = "26 Jul 2024" %}
{%- endif %}
{%- if not tools is defined %}
    {%- set tools = none %}
{%- endif %}
{#- The system message, taken out so that it can stand in the right place. #}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{%- if tools is not none %}
    {{- "Environment: ipython\\n" }}
{%- endif %}
{{- "Today Date: " + date_string + "\\n\\n" }}
{%- if tools is not none %}
    {%- for t in tools %}
        {{- t | tojson(indent=4) }}
        {{- "\\n\\n" }}
    {%- endfor %}
{%- endif %}
{{- system_message }}
{{- "<|eot_id|>" }}
{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' }}
    {%- elif 'tool_calls' in message %}
        {%- if not message.tool_calls|length == 1 %}
            {{- raise_exception("This model only supports single tool-calls at once!") }}
        {%- endif %}
        {%- set tool_call = message.tool_calls[0].function %}
        {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' -}}
        {{- '{"name": "' + tool_call.name + '", ' }}
        {{- '"parameters": ' }}
        {{- tool_call.arguments | tojson }}
        {{- "}" }}
        {{- "<|eot_id|>" }}
    {%- elif message.role == "tool" or message.role == "ipython" %}
        {{- "<|start_header_id|>ipython<|end_header_id|>\\n\\n" }}
        {%- if message.content is mapping or message.content is iterable %}
            {{- message.content | tojson }}
        {%- else %}
            {{- message.content }}
        {%- endif %}
        {{- "<|eot_id|>" }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
"""

MISTRAL = """{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}
{%- set user_messages = loop_messages | selectattr("role", "equalto", "user") | list %}
{%- set ns = namespace() %}
{%- set ns.index = 0 %}
{%- for message in loop_messages %}
    {%- if not (message.role == "tool" or (message.tool_calls is defined and message.tool_calls is not none)) %}
        {%- if (message["role"] == "user") != (ns.index % 2 == 0) %}
            {{- raise_exception("After the optional system message, conversation roles must alternate user/assistant/user/assistant/...") }}
        {%- endif %}
        {%- set ns.index = ns.index + 1 %}
    {%- endif %}
{%- endfor %}
{{- bos_token }}
{%- for message in loop_messages %}
    {%- if message["role"] == "user" %}
        {%- if tools is defined and (message == user_messages[-1]) %}
            {{- "[AVAILABLE_TOOLS] [" }}
            {%- for tool in tools %}
                {%- set tool = tool.function %}
                {{- '{"type": "function", "function": {' }}
                {%- for key, val in tool.items() if key != "return" %}
                    {%- if val is string %}
                        {{- '"' + key + '": "' + val + '"' }}
                    {%- else %}
                        {{- '"' + key + '": ' + val|tojson }}
                    {%- endif %}
                    {%- if not loop.last %}{{- ", " }}{%- endif %}
                {%- endfor %}
                {{- "}}" }}
                {%- if not loop.last %}{{- ", " }}{%- else %}{{- "]" }}{%- endif %}
            {%- endfor %}
            {{- "[/AVAILABLE_TOOLS]" }}
        {%- endif %}
        {%- if loop.last and system_message is defined %}
            {{- "[INST] " + system_message + "\\n\\n" + message["content"] + "[/INST]" }}
        {%- else %}
            {{- "[INST] " + message["content"] + "[/INST]" }}
        {%- endif %}
    {%- elif message["role"] == "assistant" %}
        {{- " " + message["content"]|trim + eos_token}}
    {%- endif %}
{%- endfor %}
"""

QWEN25 = """{%- if tools %}
    {{- '<|im_start|>system\\n' }}
    {%- if messages[0]['role'] == 'system' %}
        {{- messages[0]['content'] }}
    {%- else %}
        {{- 'You are a helpful assistant.' }}
    {%- endif %}
    {{- "\\n\\n# Tools\\n\\nYou may call one or more functions.\\n\\n<tools>" }}
    {%- for tool in tools %}
        {{- "\\n" }}
        {{- tool | tojson }}
    {%- endfor %}
    {{- "\\n</tools>\\n\\n<tool_call>\\n{\\"name\\": <function-name>, \\"arguments\\": <args-json-object>}\\n</tool_call><|im_end|>\\n" }}
{%- else %}
    {%- if messages[0]['role'] == 'system' %}
        {{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}
    {%- else %}
        {{- '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' }}
    {%- endif %}
{%- endif %}
{%- for message in messages %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) or (message.role == "assistant" and not message.tool_calls) %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "assistant" %}
        {{- '<|im_start|>' + message.role }}
        {%- if message.content %}
            {{- '\\n' + message.content }}
        {%- endif %}
        {%- for tool_call in message.tool_calls %}
            {%- if tool_call.function is defined %}
                {%- set tool_call = tool_call.function %}
            {%- endif %}
            {{- '\\n<tool_call>\\n{"name": "' }}
            {{- tool_call.name }}
            {{- '", "arguments": ' }}
            {{- tool_call.arguments | tojson }}
            {{- '}\\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\\n' }}
    {%- elif message.role == "tool" %}
        {%- if (loop.index0 == 0) or (messages[loop.index0 - 1].role != "tool") %}
            {{- '<|im_start|>user' }}
        {%- endif %}
        {{- '\\n<tool_response>\\n' }}
        {{- message.content }}
        {{- '\\n</tool_response>' }}
        {%- if loop.last or (messages[loop.index0 + 1].role != "tool") %}
            {{- '<|im_end|>\\n' }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""

QWEN3 = """{%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.multi_step_tool and message.role == "user" and message.content is string and not(message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}
        {%- set ns.multi_step_tool = false %}
        {%- set ns.last_query_index = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- if message.content is string %}
        {%- set content = message.content %}
    {%- else %}
        {%- set content = '' %}
    {%- endif %}
    {%- if (message.role == "user") or (message.role == "system") %}
        {{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "assistant" %}
        {%- set reasoning_content = '' %}
        {%- if message.reasoning_content is string %}
            {%- set reasoning_content = message.reasoning_content %}
        {%- else %}
            {%- if '</think>' in content %}
                {%- set reasoning_content = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
                {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
            {%- endif %}
        {%- endif %}
        {%- if loop.index0 > ns.last_query_index %}
            {{- '<|im_start|>' + message.role + '\\n<think>\\n' + reasoning_content.strip('\\n') + '\\n</think>\\n\\n' + content.lstrip('\\n') }}
        {%- else %}
            {{- '<|im_start|>' + message.role + '\\n' + content }}
        {%- endif %}
        {{- '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
{%- endif %}"""

DEEPSEEK = """{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}{% set ns = namespace(is_first=false, is_tool=false, is_output_first=true, system_prompt='') %}{%- for message in messages %}{%- if message['role'] == 'system' %}{% set ns.system_prompt = message['content'] %}{%- endif %}{%- endfor %}{{bos_token}}{{ns.system_prompt}}{%- for message in messages %}{%- if message['role'] == 'user' %}{%- set ns.is_tool = false -%}{{'<｜User｜>' + message['content']}}{%- endif %}{%- if message['role'] == 'assistant' and message['content'] is not none %}{% set content = message['content'] %}{% if '</think>' in content %}{% set content = content.split('</think>')[-1] %}{% endif %}{{'<｜Assistant｜>' + content + '<｜end▁of▁sentence｜>'}}{%- endif %}{%- endfor -%}{% if ns.is_tool %}{{'<｜tool▁outputs▁end｜>'}}{% endif %}{% if add_generation_prompt and not ns.is_tool %}{{'<｜Assistant｜><think>\\n'}}{% endif %}"""

GEMMA = """{{ bos_token }}
{%- if messages[0]['role'] == 'system' -%}
    {%- if messages[0]['content'] is string -%}
        {%- set first_user_prefix = messages[0]['content'] + '

' -%}
    {%- else -%}
        {%- set first_user_prefix = messages[0]['content'][0]['text'] + '

' -%}
    {%- endif -%}
    {%- set loop_messages = messages[1:] -%}
{%- else -%}
    {%- set first_user_prefix = "" -%}
    {%- set loop_messages = messages -%}
{%- endif -%}
{%- for message in loop_messages -%}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}
        {{ raise_exception("Conversation roles must alternate user/assistant/user/assistant/...") }}
    {%- endif -%}
    {%- if (message['role'] == 'assistant') -%}
        {%- set role = "model" -%}
    {%- else -%}
        {%- set role = message['role'] -%}
    {%- endif -%}
    {{ '<start_of_turn>' + role + '
' + (first_user_prefix if loop.first else "") }}
    {%- if message['content'] is string -%}
        {{ message['content'] | trim }}
    {%- elif message['content'] is iterable -%}
        {%- for item in message['content'] -%}
            {%- if item['type'] == 'image' -%}
                {{ '<start_of_image>' }}
            {%- elif item['type'] == 'text' -%}
                {{ item['text'] | trim }}
            {%- endif -%}
        {%- endfor -%}
    {%- else -%}
        {{ raise_exception("Invalid content type") }}
    {%- endif -%}
    {{ '<end_of_turn>
' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{'<start_of_turn>model
'}}
{%- endif -%}
"""

SMOLLM2 = """{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system
You are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>
' }}{% endif %}{{'<|im_start|>' + message['role'] + '
' + message['content'] + '<|im_end|>' + '
'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant
' }}{% endif %}"""

PHI3 = """{% for message in messages %}{% if message['role'] == 'system' and message['content'] %}{{'<|system|>
' + message['content'] + '<|end|>
'}}{% elif message['role'] == 'user' %}{{'<|user|>
' + message['content'] + '<|end|>
'}}{% elif message['role'] == 'assistant' %}{{'<|assistant|>
' + message['content'] + '<|end|>
'}}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>
' }}{% else %}{{ eos_token }}{% endif %}"""

MACROS = """{%- macro json_to_python_type(json_spec) %}
{%- set basic_type_map = {"string": "str", "number": "float", "integer": "int", "boolean": "bool"} %}
{%- if basic_type_map[json_spec.type] is defined %}
    {{- basic_type_map[json_spec.type] }}
{%- elif json_spec.type == "array" %}
    {{- "list[" + json_to_python_type(json_spec|items) + "]" }}
{%- else %}
    {{- "Any" }}
{%- endif %}
{%- endmacro %}
{%- for tool in tools %}
    {%- set f = tool.function %}
    {{- f.name + "(" }}
    {%- for name, fields in f.parameters.properties|items %}
        {{- name + ": " + json_to_python_type(fields) }}
        {%- if name in f.parameters.required %}!{% endif %}
        {%- if not loop.last %}, {% endif %}
    {%- endfor %}
    {{- ") - " + f.description|default("nothing", true) }}
{% endfor %}"""

USER = {"role": "user", "content": " What is 2+2? "}
ASSISTANT = {"role": "assistant", "content": "<think>\nsum\n</think>\n\nIt is 4. "}
SYSTEM = {"role": "system", "content": "Be brief."}
TOOL = {"type": "function", "function": {
    "name": "get_weather", "description": "Größe of the \"weather\"",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"},
                                                    "exact": {"type": "boolean"}}, "required": ["city"]}}}
CALL = {"role": "assistant", "content": "", "tool_calls": [
    {"type": "function", "function": {"name": "get_weather", "arguments": {"city": "Zürich", "days": 2}}}]}
ANSWER = {"role": "tool", "content": "12 °C"}
CONVERSATIONS = {
    "one": [USER], "system": [SYSTEM, USER], "two turns": [SYSTEM, USER, ASSISTANT, USER], "ends with the assistant": [USER, ASSISTANT],
    "wrong order": [USER, USER], "tools": [SYSTEM, USER, CALL, ANSWER], "parts": [
        {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": " look "}]}], "none": []}
FAMILIES = {"llama-2": LLAMA2, "llama-3": LLAMA3, "mistral": MISTRAL, "qwen2.5": QWEN25, "qwen3": QWEN3, "deepseek-r1": DEEPSEEK,
            "gemma": GEMMA, "smollm2": SMOLLM2, "phi-3": PHI3, "macros": MACROS}


def render(name, template, context):
    case = {"name": name, "template": template, "context": context}
    try:
        case["output"] = environment.from_string(template).render(**context)
    except Raised as error:
        case["raises"] = str(error)
    except Exception as error:  # whatever Python says, an error is what is promised
        case["error"] = f"{type(error).__name__}: {error}"[:120]
    return case


def small_templates():
    lines = SMALL.strip("\n").split("\n")
    templates = list(lines)
    for size in (2, 3, 4, 7):  # the same lines, as parts of larger texts: white space between tags
        templates += ["\n".join(lines[i:i + size]) for i in range(0, 60, size)]
    start = lines.index("  {% if yes %}")
    templates += ["\n".join(lines[start:start + n]) for n in range(2, 30)]
    templates += ["\n".join(lines[start + n:start + n + 6]) + "\n" for n in range(0, 24)]
    templates += ["", "\n", "\n\n", "plain", "a\r\nb\r{% if yes %}\r\nc{% endif %}\r\n", "{{ n }}\n", "{{ n }}\n\n", "\n{% if yes %}\n\nx\n{% endif %}\n\n",
                  "a\n  {%- if yes %}  b{% endif %}", "{% set a = [\n 1,\n 2\n] %}{{ a }}", "{{\n'multi\nline'\n}}", "x{#- a -#}\n\n y", "{%if yes%}a{%endif%}",
                  "  {{ n }}  \n  {% set z = 1 %}  \n  {# c #}  \n{{ z }}", "{{ '" + "x" * 300 + "'|length }}"]
    return list(dict.fromkeys(templates))


def main():
    small = [render(f"small {i}", template, CONTEXT) for i, template in enumerate(small_templates())]
    for case in small:
        del case["context"]
    families = []
    for family, template in FAMILIES.items():
        for title, messages in CONVERSATIONS.items():
            for add_generation_prompt in (True, False):
                context = {"messages": messages, "add_generation_prompt": add_generation_prompt, "bos_token": "<s>", "eos_token": "</s>"}
                if title == "tools" or family == "macros":
                    context["tools"] = [TOOL, TOOL]
                families.append(render(f"{family}, {title}", template, context))
    for case in families:
        case["template"] = case["name"].split(",")[0]
    with open(DATA / "templates.json", "w", encoding="utf-8") as file:
        lines = [json.dumps(c, ensure_ascii=True) for c in small]
        more = [json.dumps(c, ensure_ascii=True) for c in families]
        file.write('{"context": ' + json.dumps(CONTEXT) + ',\n"small": [\n' + ",\n".join(lines) + '\n],\n"families": '
                   + json.dumps(FAMILIES) + ',\n"chats": [\n' + ",\n".join(more) + "\n]}\n")
    print(len(small), "small templates,", sum("output" in c for c in small), "with output;", len(families), "chats,",
          sum("output" in c for c in families), "with output")


main()
