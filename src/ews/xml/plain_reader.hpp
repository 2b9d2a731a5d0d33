// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Reading a whole document that is as plain as Exchange writes its bulk replies, and nothing else: elements,
// attributes, text, the five entities and character references. What libxml2 spends on every element (a
// dictionary, checks for all that XML could have there) is a quarter of a first synchronisation.
#include <string_view>

#include "base/error.hpp"
#include "ews/xml/sax_reader.hpp"

namespace syncline::ews::xml {

/// Tells `handler` what SaxReader would tell, in the same order; texts may be cut into other pieces. Errors:
/// the handler's; xml "not-plain" for everything out of the ordinary, well-formed or not, that SaxReader has
/// to judge: comments, CDATA, processing instructions, doctypes, carriage returns, attributes
/// with a prefix, prefixes that are not declared, line breaks in attributes, references in the names of
/// namespaces, names beyond ASCII, more than 64 open elements or 16 attributes, octets that are not UTF-8.
/// The handler may have been told of what came before.
Result<void> read_plain(std::string_view document, SaxHandler& handler);

}  // namespace syncline::ews::xml
