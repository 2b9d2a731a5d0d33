// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Small pieces of XML that the bindings hand over as text: MessageXml, and elements of unknown name.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace syncline::ews::codec {

struct FragmentElement {
  std::string name;  ///< local name
  unsigned depth;    ///< 0 for the outermost
  bool has_children = false;
  std::vector<std::pair<std::string, std::string>> attributes = {};  ///< local names
  std::string text = {};                                             ///< its own, not its children's

  std::string attribute(std::string_view local_name) const;
};

/// The elements of `xml` in document order, at most 10,000; stops quietly where the text is no XML any more.
std::vector<FragmentElement> read_fragment(std::string_view xml);

/// The local name of the root element of a document; empty if there is none. Passes over a BOM, the
/// declaration, comments and processing instructions.
std::string_view root_name(std::string_view xml);

}  // namespace syncline::ews::codec
