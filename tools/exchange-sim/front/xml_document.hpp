// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A parsed request or reply as a libxml2 tree, with what a peer can send bounded: no DOCTYPE, no network,
// limited depth.
#include <libxml/tree.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace exchange_sim {

inline constexpr std::string_view soap_namespace = "http://schemas.xmlsoap.org/soap/envelope/";
inline constexpr std::string_view messages_namespace =
    "http://schemas.microsoft.com/exchange/services/2006/messages";
inline constexpr std::string_view types_namespace =
    "http://schemas.microsoft.com/exchange/services/2006/types";
inline constexpr std::string_view errors_namespace =
    "http://schemas.microsoft.com/exchange/services/2006/errors";

class XmlDocument {
 public:
  /// Errors: domain xml, "not-xml" (message says line and column) and "doctype".
  static syncline::Result<XmlDocument> parse(std::string_view octets);

  xmlDoc* get() const noexcept { return document_.get(); }
  xmlNode* root() const noexcept { return xmlDocGetRootElement(document_.get()); }
  /// UTF-8, with the XML declaration.
  std::string serialize() const;

 private:
  struct Free {
    void operator()(xmlDoc* document) const noexcept { xmlFreeDoc(document); }
  };
  explicit XmlDocument(xmlDoc* document) : document_(document) {}
  std::unique_ptr<xmlDoc, Free> document_;
};

std::string_view local_name(const xmlNode* node) noexcept;
std::string_view namespace_of(const xmlNode* node) noexcept;
bool is_element(const xmlNode* node, std::string_view space, std::string_view name) noexcept;
/// Children that are elements.
std::vector<xmlNode*> child_elements(const xmlNode* node);
/// First child of that local name, whatever its namespace; null if there is none.
xmlNode* child_named(const xmlNode* node, std::string_view name) noexcept;
std::string text_of(const xmlNode* node);
std::string attribute_of(const xmlNode* node, const char* name);
/// The next node in document order, not leaving `top`; null at the end. No recursion.
xmlNode* next_in_tree(xmlNode* node, const xmlNode* top) noexcept;

/// Replaces & < > " by entities and characters that XML does not know by U+FFFD.
std::string xml_escape(std::string_view text);

/// libxml2 never fetches anything but local files after this. Safe to call often.
void forbid_xml_network();

}  // namespace exchange_sim
