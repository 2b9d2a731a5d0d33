// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/exchange-sim/front/xml_document.hpp"

#include <fmt/format.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>

#include <mutex>

#include "base/text.hpp"

namespace exchange_sim {

using syncline::ErrorDomain;
using syncline::fail;

namespace {

// libxml2's own limits (256 levels, 10 MB of text) hold below this size; attachments above it need the larger
// ones.
constexpr std::size_t plain_limit_octets = 9'000'000;

// What schemas import for xml:lang; Microsoft's files name no place for it.
constexpr const char* xml_namespace_schema =
    "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema' "
    "targetNamespace='http://www.w3.org/XML/1998/namespace'>"
    "<xs:attribute name='lang' type='xs:string'/><xs:attribute name='space' type='xs:NCName'/>"
    "<xs:attribute name='base' type='xs:anyURI'/><xs:attribute name='id' type='xs:ID'/></xs:schema>";

xmlExternalEntityLoader default_loader = nullptr;

xmlParserInput* load_local(const char* url, const char* id, xmlParserCtxt* context) {
  const std::string_view name = url == nullptr ? "" : url;
  if (name == "urn:exchange-sim:xml.xsd") {
    return xmlNewStringInputStream(context, reinterpret_cast<const xmlChar*>(xml_namespace_schema));
  }
  if (name.find("://") != std::string_view::npos && !name.starts_with("file://")) return nullptr;
  return default_loader == nullptr ? nullptr : default_loader(url, id, context);
}

void refuse_doctype(void* data, const xmlChar*, const xmlChar*, const xmlChar*) {
  auto* context = static_cast<xmlParserCtxt*>(data);
  context->disableSAX = 2;
  xmlStopParser(context);
  context->errNo = XML_ERR_DOCTYPE_NOT_FINISHED;
}

void be_silent(void*, xmlError*) {}

}  // namespace

void forbid_xml_network() {
  static std::once_flag once;
  std::call_once(once, [] {
    xmlInitParser();
    default_loader = xmlGetExternalEntityLoader();
    xmlSetExternalEntityLoader(load_local);
  });
}

syncline::Result<XmlDocument> XmlDocument::parse(std::string_view octets) {
  forbid_xml_network();
  if (octets.size() > 1u << 30) return fail(ErrorDomain::xml, "not-xml", "more than 1 GiB of XML");
  struct FreeContext {
    void operator()(xmlParserCtxt* context) const noexcept { xmlFreeParserCtxt(context); }
  };
  const std::unique_ptr<xmlParserCtxt, FreeContext> context(xmlNewParserCtxt());
  if (!context) return fail(ErrorDomain::local, "no-memory", "libxml2 has no memory");
  context->sax->internalSubset = refuse_doctype;
  context->sax->serror = be_silent;
  int options =
      XML_PARSE_NONET | XML_PARSE_NOWARNING | XML_PARSE_NOERROR | XML_PARSE_NOCDATA | XML_PARSE_BIG_LINES;
  if (octets.size() > plain_limit_octets) options |= XML_PARSE_HUGE;
  XmlDocument document(xmlCtxtReadMemory(context.get(), octets.data(), static_cast<int>(octets.size()),
                                         nullptr, nullptr, options));
  if (context->errNo == XML_ERR_DOCTYPE_NOT_FINISHED) {
    return fail(ErrorDomain::xml, "doctype", "a DOCTYPE is not allowed");
  }
  if (document.get() == nullptr || document.root() == nullptr) {
    const xmlError* error = xmlCtxtGetLastError(context.get());
    if (error == nullptr || error->message == nullptr) return fail(ErrorDomain::xml, "not-xml", "not XML");
    return fail(ErrorDomain::xml, "not-xml",
                fmt::format("{} Line {}, position {}.", syncline::text::trim(error->message), error->line,
                            error->int2));
  }
  return document;
}

std::string XmlDocument::serialize() const {
  xmlChar* octets = nullptr;
  int size = 0;
  xmlDocDumpMemoryEnc(document_.get(), &octets, &size, "utf-8");
  std::string out(reinterpret_cast<const char*>(octets),
                  octets == nullptr ? 0 : static_cast<std::size_t>(size));
  xmlFree(octets);
  return out;
}

std::string_view local_name(const xmlNode* node) noexcept {
  return node->name == nullptr ? std::string_view() : reinterpret_cast<const char*>(node->name);
}

std::string_view namespace_of(const xmlNode* node) noexcept {
  if (node->type != XML_ELEMENT_NODE || node->ns == nullptr || node->ns->href == nullptr) return {};
  return reinterpret_cast<const char*>(node->ns->href);
}

bool is_element(const xmlNode* node, std::string_view space, std::string_view name) noexcept {
  return node != nullptr && node->type == XML_ELEMENT_NODE && local_name(node) == name &&
         namespace_of(node) == space;
}

std::vector<xmlNode*> child_elements(const xmlNode* node) {
  std::vector<xmlNode*> out;
  if (node == nullptr) return out;
  for (xmlNode* child = node->children; child != nullptr; child = child->next) {
    if (child->type == XML_ELEMENT_NODE) out.push_back(child);
  }
  return out;
}

xmlNode* child_named(const xmlNode* node, std::string_view name) noexcept {
  if (node == nullptr) return nullptr;
  for (xmlNode* child = node->children; child != nullptr; child = child->next) {
    if (child->type == XML_ELEMENT_NODE && local_name(child) == name) return child;
  }
  return nullptr;
}

std::string text_of(const xmlNode* node) {
  std::string out;
  if (node == nullptr) return out;
  for (const xmlNode* child = node->children; child != nullptr; child = child->next) {
    if ((child->type == XML_TEXT_NODE || child->type == XML_CDATA_SECTION_NODE) &&
        child->content != nullptr) {
      out += reinterpret_cast<const char*>(child->content);
    }
  }
  return out;
}

std::string attribute_of(const xmlNode* node, const char* name) {
  if (node == nullptr) return {};
  xmlChar* value = xmlGetNoNsProp(node, reinterpret_cast<const xmlChar*>(name));
  std::string out = value == nullptr ? "" : reinterpret_cast<const char*>(value);
  xmlFree(value);
  return out;
}

xmlNode* next_in_tree(xmlNode* node, const xmlNode* top) noexcept {
  if (node->type == XML_ELEMENT_NODE && node->children != nullptr) return node->children;
  while (node != nullptr && node != top) {
    if (node->next != nullptr) return node->next;
    node = node->parent;
  }
  return nullptr;
}

std::string xml_escape(std::string_view text) {
  const std::string clean = syncline::text::to_xml_text(text);
  std::string out;
  out.reserve(clean.size());
  for (const char letter : clean) {
    switch (letter) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += letter;
    }
  }
  return out;
}

}  // namespace exchange_sim
