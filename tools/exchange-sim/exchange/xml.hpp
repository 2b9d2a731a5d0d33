// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// XML as the test Exchange needs it: requests and stored fragments read into a small tree (libxml2's SAX
// parser, with limits), replies written straight into a string.
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace exchange_sim {

/// An element: local names only, EWS gives none twice with different meaning in one place.
struct Element {
  std::string name;
  std::string ns;  ///< namespace name; empty in stored fragments
  std::vector<std::pair<std::string, std::string>> attributes;
  std::string text;  ///< character data directly in it
  std::vector<Element> children;

  const Element* child(std::string_view local_name) const noexcept;
  /// The child's text, trimmed; empty if there is none.
  std::string_view child_text(std::string_view local_name) const noexcept;
  /// nullptr if absent.
  const std::string* attribute(std::string_view local_name) const noexcept;
  std::string_view attribute_or(std::string_view local_name, std::string_view otherwise) const noexcept;
};

struct XmlLimits {
  std::size_t depth = 100;
  std::size_t elements = 1'000'000;
};

/// A whole document. Errors, domain xml: "malformed", "doctype", "too-deep", "too-many-elements".
syncline::Result<Element> parse_xml(std::string_view text, const XmlLimits& limits = {});
/// The elements of a stored fragment (prefix t, no declarations), under a nameless root.
syncline::Result<Element> parse_fragment(std::string_view text);

/// Appends character data, escaped. What XML cannot carry is written as U+FFFD.
void append_escaped(std::string& out, std::string_view text);
void append_attribute(std::string& out, std::string_view name, std::string_view value);
/// "<t:name>text</t:name>"
void append_text_element(std::string& out, std::string_view name, std::string_view text);
/// The element in our own spelling: prefix t everywhere, no namespace declarations.
void append_element(std::string& out, const Element& element);
/// The children of `element`, or its text if it has none.
std::string inner_xml(const Element& element);

}  // namespace exchange_sim
