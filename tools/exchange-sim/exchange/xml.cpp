// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/exchange-sim/exchange/xml.hpp"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>

#include <algorithm>
#include <memory>

#include "base/text.hpp"

namespace exchange_sim {
namespace {

constexpr std::string_view kXmlns = "http://www.w3.org/2000/xmlns/";

std::string_view view(const xmlChar* text) {
  return text == nullptr ? std::string_view() : std::string_view(reinterpret_cast<const char*>(text));
}

struct Builder {
  Element root;
  std::vector<Element> open;  // the path to the current element; a finished one moves into its parent
  XmlLimits limits;
  std::size_t elements = 0;
  std::string refusal;
  xmlParserCtxtPtr context = nullptr;

  void refuse(const char* code) {
    if (refusal.empty()) refusal = code;
    xmlStopParser(context);
  }
};

Builder& builder(void* user) {
  return *static_cast<Builder*>(user);
}

void on_start(void* user, const xmlChar* local, const xmlChar*, const xmlChar* uri, int, const xmlChar**,
              int attribute_count, int, const xmlChar** attributes) {
  Builder& b = builder(user);
  if (!b.refusal.empty()) return;
  if (b.open.size() >= b.limits.depth) return b.refuse("too-deep");
  if (++b.elements > b.limits.elements) return b.refuse("too-many-elements");
  Element element;
  element.name = view(local);
  element.ns = view(uri);
  for (int i = 0; i < attribute_count; ++i) {
    const xmlChar** a = attributes + static_cast<std::ptrdiff_t>(i) * 5;
    if (view(a[2]) == kXmlns) continue;
    element.attributes.emplace_back(
        view(a[0]), std::string(reinterpret_cast<const char*>(a[3]), static_cast<std::size_t>(a[4] - a[3])));
  }
  b.open.push_back(std::move(element));
}

void on_end(void* user, const xmlChar*, const xmlChar*, const xmlChar*) {
  Builder& b = builder(user);
  if (!b.refusal.empty() || b.open.empty()) return;
  Element done = std::move(b.open.back());
  b.open.pop_back();
  if (!done.children.empty() && syncline::text::trim(done.text).empty()) done.text.clear();
  (b.open.empty() ? b.root : b.open.back()).children.push_back(std::move(done));
}

void on_text(void* user, const xmlChar* text, int length) {
  Builder& b = builder(user);
  if (!b.open.empty())
    b.open.back().text.append(reinterpret_cast<const char*>(text), static_cast<std::size_t>(length));
}

void on_doctype(void* user, const xmlChar*, const xmlChar*, const xmlChar*) {
  builder(user).refuse("doctype");
}

void on_structured_error(void*, xmlErrorPtr) {}

}  // namespace

const Element* Element::child(std::string_view local_name) const noexcept {
  for (const Element& c : children)
    if (c.name == local_name) return &c;
  return nullptr;
}

std::string_view Element::child_text(std::string_view local_name) const noexcept {
  const Element* c = child(local_name);
  return c == nullptr ? std::string_view() : syncline::text::trim(c->text);
}

const std::string* Element::attribute(std::string_view local_name) const noexcept {
  for (const auto& [name, value] : attributes)
    if (name == local_name) return &value;
  return nullptr;
}

std::string_view Element::attribute_or(std::string_view local_name,
                                       std::string_view otherwise) const noexcept {
  const std::string* value = attribute(local_name);
  return value == nullptr ? otherwise : std::string_view(*value);
}

syncline::Result<Element> parse_xml(std::string_view text, const XmlLimits& limits) {
  Builder b;
  b.limits = limits;
  xmlSAXHandler handler{};
  handler.initialized = XML_SAX2_MAGIC;
  handler.startElementNs = on_start;
  handler.endElementNs = on_end;
  handler.characters = on_text;
  handler.cdataBlock = on_text;
  handler.internalSubset = on_doctype;
  handler.serror = on_structured_error;
  std::unique_ptr<xmlParserCtxt, void (*)(xmlParserCtxtPtr)> context(
      xmlCreatePushParserCtxt(&handler, &b, nullptr, 0, nullptr), &xmlFreeParserCtxt);
  if (!context) return syncline::fail(syncline::ErrorDomain::xml, "malformed", "no memory for an XML parser");
  b.context = context.get();
  // NOENT: without it libxml2 gives attribute values with "&#38;" for "&amp;". A DOCTYPE, and with it every
  // other entity, is refused.
  xmlCtxtUseOptions(context.get(), XML_PARSE_NOENT | XML_PARSE_NONET | XML_PARSE_HUGE);
  int error = 0;
  for (std::size_t at = 0; at < text.size() && error == 0 && b.refusal.empty();) {
    const std::size_t length = std::min<std::size_t>(text.size() - at, 1U << 20);
    error = xmlParseChunk(context.get(), text.data() + at, static_cast<int>(length), 0);
    at += length;
  }
  if (error == 0 && b.refusal.empty()) error = xmlParseChunk(context.get(), nullptr, 0, 1);
  if (!b.refusal.empty())
    return syncline::fail(syncline::ErrorDomain::xml, b.refusal, "the request was refused: " + b.refusal);
  if (error != 0 || context->wellFormed == 0 || b.root.children.size() != 1) {
    std::string message = "not well-formed XML";
    if (context->lastError.message != nullptr)
      message = std::string(syncline::text::trim(context->lastError.message)) + " Line " +
                std::to_string(context->lastError.line);
    return syncline::fail(syncline::ErrorDomain::xml, "malformed", std::move(message));
  }
  return std::move(b.root.children.front());
}

syncline::Result<Element> parse_fragment(std::string_view text) {
  std::string document = "<f xmlns:t=\"t\">";
  document += text;
  document += "</f>";
  return parse_xml(document);
}

void append_escaped(std::string& out, std::string_view text) {
  // The common case, plain ASCII without markup, is copied in runs.
  std::size_t run = 0;
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x80) {
      const char* escaped = nullptr;
      if (c == '<') {
        escaped = "&lt;";
      } else if (c == '>') {
        escaped = "&gt;";
      } else if (c == '&') {
        escaped = "&amp;";
      } else if (c == '"') {
        escaped = "&quot;";
      } else if (c == '\r') {
        escaped = "&#xD;";
      } else if (c < 0x20 && c != '\t' && c != '\n') {
        escaped = "\xEF\xBF\xBD";
      }
      if (escaped != nullptr) {
        out.append(text, run, i - run);
        out += escaped;
        run = i + 1;
      }
      ++i;
      continue;
    }
    const auto point = syncline::text::next_code_point(text.substr(i));
    if (point && syncline::text::is_xml_char(point->value)) {
      i += point->length;
      continue;
    }
    out.append(text, run, i - run);
    out += "\xEF\xBF\xBD";
    i += point ? point->length : 1;
    run = i;
  }
  out.append(text, run, text.size() - run);
}

void append_attribute(std::string& out, std::string_view name, std::string_view value) {
  out += ' ';
  out += name;
  out += "=\"";
  append_escaped(out, value);
  out += '"';
}

void append_text_element(std::string& out, std::string_view name, std::string_view text) {
  out += "<t:";
  out += name;
  out += '>';
  append_escaped(out, text);
  out += "</t:";
  out += name;
  out += '>';
}

void append_element(std::string& out, const Element& element) {
  // Depth is bounded by the parser's limit.
  out += "<t:";
  out += element.name;
  for (const auto& [name, value] : element.attributes) append_attribute(out, name, value);
  if (element.children.empty() && element.text.empty()) {
    out += "/>";
    return;
  }
  out += '>';
  append_escaped(out, element.text);
  for (const Element& child : element.children) append_element(out, child);
  out += "</t:";
  out += element.name;
  out += '>';
}

std::string inner_xml(const Element& element) {
  std::string out;
  if (element.children.empty()) append_escaped(out, element.text);
  for (const Element& child : element.children) append_element(out, child);
  return out;
}

}  // namespace exchange_sim
