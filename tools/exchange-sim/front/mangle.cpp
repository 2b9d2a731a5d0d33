// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/exchange-sim/front/mangle.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "tools/exchange-sim/front/soap.hpp"
#include "tools/exchange-sim/front/xml_document.hpp"

namespace exchange_sim {

namespace {

constexpr std::uint64_t most_bomb_octets = 8ull << 30;
constexpr std::uint64_t most_levels = 1'000'000;
/// Stands in the tree for what no tree can hold, until the text is written.
constexpr std::string_view placeholder = "\uE0F1illegal\uE0F2";

const xmlChar* xml(const std::string& text) {
  return reinterpret_cast<const xmlChar*>(text.c_str());
}

std::vector<xmlNode*> elements_named(xmlNode* top, std::string_view name) {
  std::vector<xmlNode*> out;
  for (xmlNode* node = top; node != nullptr; node = next_in_tree(node, top)) {
    if (node->type == XML_ELEMENT_NODE && local_name(node) == name) out.push_back(node);
  }
  return out;
}

/// The elements a rule names, innermost first (setting the text of an element frees what is inside it);
/// without a name the first one that `otherwise` accepts.
template <class Accepts>
std::vector<xmlNode*> targets(const FaultRule& rule, xmlNode* body, Accepts otherwise) {
  if (!rule.element.empty()) {
    auto named = elements_named(body, rule.element);
    std::reverse(named.begin(), named.end());
    return named;
  }
  for (xmlNode* node = body; node != nullptr; node = next_in_tree(node, body)) {
    if (node != body && node->type == XML_ELEMENT_NODE && otherwise(node)) return {node};
  }
  return {};
}

bool has_text_only(const xmlNode* node) {
  return child_elements(node).empty() && !syncline::text::trim(text_of(node)).empty();
}

std::string illegal_text(const std::string& kind) {
  if (kind.empty() || kind == "reference") return "&#x1;";
  if (kind == "raw") return std::string(1, '\x01');
  if (kind == "surrogate") return "&#xD800;";
  if (kind == "utf8") return "\xC3\x28\xFF";
  return kind;
}

void reverse_children(xmlNode* node) {
  const auto children = child_elements(node);
  for (xmlNode* child : children) xmlUnlinkNode(child);
  for (auto child = children.rbegin(); child != children.rend(); ++child) xmlAddChild(node, *child);
}

void add_foreign_elements(xmlDoc* document, xmlNode* body) {
  std::vector<xmlNode*> parents;
  for (xmlNode* node = body; node != nullptr; node = next_in_tree(node, body)) {
    if (node->type == XML_ELEMENT_NODE && node != body && !child_elements(node).empty())
      parents.push_back(node);
  }
  for (xmlNode* parent : parents) {
    for (xmlNode* child : child_elements(parent)) {
      xmlNode* stranger = xmlNewDocNode(document, nullptr, xml("Telemetry"), xml("<b>1</b>"));
      xmlSetNs(stranger, xmlNewNs(stranger, xml("urn:example:unknown"), xml("x")));
      xmlSetProp(stranger, xml("Level"), xml("3"));
      xmlAddPrevSibling(child, stranger);
    }
  }
}

void rename_namespace(xmlNode* node, const std::string& wanted) {
  const std::string uri = wanted == "messages" ? std::string(messages_namespace)
                          : wanted == "types"  ? std::string(types_namespace)
                                               : wanted;
  xmlNs* space = xmlSearchNsByHref(node->doc, node, xml(uri));
  if (space == nullptr) space = xmlNewNs(node, xml(uri), xml("renamed"));
  xmlSetNs(node, space);
}

void empty_listing(xmlNode* body, std::string_view operation, std::string_view request_xml) {
  for (const char* list : {"Changes", "Items", "Folders", "Groups"}) {
    for (xmlNode* node : elements_named(body, list)) {
      for (xmlNode* child : child_elements(node)) {
        xmlUnlinkNode(child);
        xmlFreeNode(child);
      }
    }
  }
  for (xmlNode* root_folder : elements_named(body, "RootFolder")) {
    for (const char* name : {"TotalItemsInView", "IndexedPagingOffset"}) {
      if (xmlHasProp(root_folder, xml(name)) != nullptr) xmlSetProp(root_folder, xml(name), xml("0"));
    }
    xmlSetProp(root_folder, xml("IncludesLastItemInRange"), xml("true"));
  }
  if (operation != "SyncFolderItems" && operation != "SyncFolderHierarchy") return;
  // Nothing was said, so the client's place in the feed must not move: the state that it sent comes back.
  auto request = XmlDocument::parse(request_xml);
  if (!request) return;
  const auto sent = elements_named(request->root(), "SyncState");
  if (sent.empty()) return;
  const std::string state = text_of(sent.front());
  for (xmlNode* node : elements_named(body, "SyncState")) xmlNodeSetContent(node, xml(xml_escape(state)));
}

void replace_message(xmlNode* body, std::string_view operation, const FaultRule& rule) {
  const auto messages = elements_named(body, std::string(operation) + "ResponseMessage");
  if (!rule.index || *rule.index >= messages.size()) return;
  const auto code = rule.code.empty() ? std::string("ErrorInternalServerError") : rule.code;
  const auto text = rule.text.empty() ? std::string(message_of_code(code)) : rule.text;
  auto error = XmlDocument::parse(error_response(operation, 1, code, text));
  if (!error) return;
  xmlNode* found =
      child_named(child_named(error->root(), "ResponseMessages"), std::string(operation) + "ResponseMessage");
  xmlNode* copy = xmlDocCopyNode(found, body->doc, 1);
  xmlNode* old = messages[*rule.index];
  xmlReplaceNode(old, copy);
  xmlFreeNode(old);
  xmlReconciliateNs(body->doc, copy);
}

std::string deeply_nested(const std::string& envelope_xml, std::uint64_t levels) {
  const auto end = envelope_xml.rfind("</s:Body>");
  if (end == std::string::npos) return envelope_xml;
  std::string out = envelope_xml.substr(0, end);
  levels = std::min(levels, most_levels);
  for (std::uint64_t i = 0; i < levels; ++i) out += "<d>";
  for (std::uint64_t i = 0; i < levels; ++i) out += "</d>";
  return out + envelope_xml.substr(end);
}

}  // namespace

bool rewrites_xml(Action action) noexcept {
  switch (action) {
    case Action::illegal_characters:
    case Action::wrong_order:
    case Action::foreign_elements:
    case Action::unknown_value:
    case Action::set_text:
    case Action::remove_element:
    case Action::rename_namespace:
    case Action::empty_listing:
    case Action::deep_nesting:
    case Action::response_code:
      return true;
    default:
      return false;
  }
}

std::string rewrite_xml(const FaultRule& rule, const std::string& envelope_xml, std::string_view operation,
                        std::string_view request_xml) {
  if (rule.action == Action::deep_nesting)
    return deeply_nested(envelope_xml, rule.limit == 0 ? 10'000 : rule.limit);
  auto document = XmlDocument::parse(envelope_xml);
  if (!document) return envelope_xml;  // an earlier rule has spoiled it beyond reading
  xmlNode* body = child_named(document->root(), "Body");
  if (body == nullptr) return envelope_xml;
  const auto none = [](const xmlNode*) { return false; };

  switch (rule.action) {
    case Action::illegal_characters: {
      for (xmlNode* node : targets(rule, body, [](const xmlNode* candidate) {
             return has_text_only(candidate) && local_name(candidate) != "ResponseCode";
           })) {
        const auto text = text_of(node);
        auto at = text.size() / 2;
        // In the middle of the text, but not inside a character.
        while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
        const auto spoiled = text.substr(0, at) + std::string(placeholder) + text.substr(at);
        xmlNodeSetContent(node, xml(xml_escape(spoiled)));
      }
      std::string out = document->serialize();
      const auto wanted = illegal_text(rule.value);
      for (auto at = out.find(placeholder); at != out.npos; at = out.find(placeholder, at + wanted.size())) {
        out.replace(at, placeholder.size(), wanted);
      }
      return out;
    }
    case Action::wrong_order:
      for (xmlNode* node : targets(
               rule, body, [](const xmlNode* candidate) { return child_elements(candidate).size() >= 3; })) {
        reverse_children(node);
      }
      break;
    case Action::foreign_elements:
      add_foreign_elements(document->get(), body);
      break;
    case Action::unknown_value:
      for (xmlNode* node : targets(rule, body, [](const xmlNode* candidate) {
             constexpr std::array enumerations{"Sensitivity",          "Importance",     "BodyType",
                                               "LegacyFreeBusyStatus", "MyResponseType", "Status",
                                               "CalendarItemType"};
             return std::find(enumerations.begin(), enumerations.end(), local_name(candidate)) !=
                    enumerations.end();
           })) {
        xmlNodeSetContent(node, xml(xml_escape(rule.value.empty() ? "Quantum" : rule.value)));
      }
      break;
    case Action::set_text:
      for (xmlNode* node : targets(rule, body, none)) xmlNodeSetContent(node, xml(xml_escape(rule.value)));
      break;
    case Action::remove_element:
      for (xmlNode* node : targets(rule, body, none)) {
        xmlUnlinkNode(node);
        xmlFreeNode(node);
      }
      break;
    case Action::rename_namespace:
      for (xmlNode* node : targets(rule, body, none)) rename_namespace(node, rule.value);
      break;
    case Action::empty_listing:
      empty_listing(body, operation, request_xml);
      break;
    case Action::response_code:
      replace_message(body, operation, rule);
      break;
    default:
      return envelope_xml;
  }
  return document->serialize();
}

std::string gzip_bomb(std::uint64_t octets) {
  octets = std::min(octets == 0 ? std::uint64_t{1} << 30 : octets, most_bomb_octets);
  z_stream stream{};
  if (deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) != Z_OK) return {};
  std::string out;
  std::string buffer(64 * 1024, '\0');
  const auto feed = [&](std::string_view text, int flush) {
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    do {
      stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
      stream.avail_out = static_cast<uInt>(buffer.size());
      deflate(&stream, flush);
      out.append(buffer.data(), buffer.size() - stream.avail_out);
    } while (stream.avail_out == 0);
  };
  feed(fmt::format("<s:Envelope xmlns:s=\"{}\"><s:Body>", soap_namespace), Z_NO_FLUSH);
  const std::string block(1 << 20, ' ');
  for (std::uint64_t done = 0; done < octets; done += block.size()) {
    feed(std::string_view(block).substr(0, std::min<std::uint64_t>(block.size(), octets - done)), Z_NO_FLUSH);
  }
  feed("</s:Body></s:Envelope>", Z_FINISH);
  deflateEnd(&stream);
  return out;
}

std::string entity_bomb() {
  std::string out = "<?xml version=\"1.0\"?><!DOCTYPE bomb [<!ENTITY e0 \"0123456789\">";
  for (int i = 1; i <= 9; ++i) {
    out += fmt::format("<!ENTITY e{} \"", i);
    for (int n = 0; n < 10; ++n) out += fmt::format("&e{};", i - 1);
    out += "\">";
  }
  return out + fmt::format("]><s:Envelope xmlns:s=\"{}\"><s:Body><d>&e9;</d></s:Body></s:Envelope>",
                           soap_namespace);
}

}  // namespace exchange_sim
