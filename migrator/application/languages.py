"""The grammars of Python, TypeScript (JavaScript among it), PHP and Go, as far as reading needs them."""

from __future__ import annotations

import tree_sitter_go
import tree_sitter_php
import tree_sitter_python
import tree_sitter_typescript

from migrator.application.syntax import Grammar

PYTHON = Grammar(
    language=tree_sitter_python.language,
    calls={"call": (None, "function")},
    members={"attribute": ("object", "attribute")},
    lookups={"subscript": ("value", "subscript")},
    assignments={
        "assignment": ("left", "right"),
        "keyword_argument": ("name", "value"),
        "pair": ("key", "value"),
    },
    aliases={"aliased_import": ("name", "alias")},
    texts=frozenset({"string_content"}),
    literals=frozenset({"string"}),
    names=frozenset({"identifier", "attribute"}),
    imports=frozenset({"dotted_name"}),
    classes=frozenset({"class_definition"}),
)
TYPESCRIPT = Grammar(
    language=tree_sitter_typescript.language_tsx,
    calls={"call_expression": (None, "function"), "new_expression": (None, "constructor")},
    members={"member_expression": ("object", "property")},
    lookups={"subscript_expression": ("object", "index")},
    assignments={
        "assignment_expression": ("left", "right"),
        "pair": ("key", "value"),
    },
    aliases={"import_specifier": ("name", "alias")},
    texts=frozenset({"string_fragment"}),
    literals=frozenset({"string"}),
    names=frozenset({"identifier"}),
    imports=frozenset(),
    classes=frozenset({"class_declaration"}),
)
PHP = Grammar(
    language=tree_sitter_php.language_php,
    calls={
        "function_call_expression": (None, "function"),
        "member_call_expression": ("object", "name"),
        "nullsafe_member_call_expression": ("object", "name"),
        "scoped_call_expression": ("scope", "name"),
    },
    members={
        "member_access_expression": ("object", "name"),
        "nullsafe_member_access_expression": ("object", "name"),
    },
    lookups={"subscript_expression": (0, 1)},
    assignments={"assignment_expression": ("left", "right"), "array_element_initializer": (0, 1)},
    aliases={},
    texts=frozenset({"string_content"}),
    literals=frozenset({"string", "encapsed_string"}),
    names=frozenset({"name", "class_constant_access_expression"}),
    imports=frozenset({"qualified_name"}),
    classes=frozenset({"class_declaration"}),
)
GO = Grammar(
    language=tree_sitter_go.language,
    calls={"call_expression": (None, "function")},
    members={"selector_expression": ("operand", "field")},
    lookups={"index_expression": ("operand", "index")},
    assignments={
        "assignment_statement": ("left", "right"),
        "keyed_element": (0, 1),
    },
    aliases={},
    texts=frozenset({"interpreted_string_literal_content", "raw_string_literal_content"}),
    literals=frozenset({"interpreted_string_literal", "raw_string_literal"}),
    names=frozenset({"identifier", "selector_expression"}),
    imports=frozenset(),
    classes=frozenset(),
)
