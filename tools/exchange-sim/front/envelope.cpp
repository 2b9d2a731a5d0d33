// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/exchange-sim/front/envelope.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.hpp"

namespace exchange_sim {

using syncline::ErrorDomain;
using syncline::fail;

namespace {

/// The element whose children each get a response message of their own.
constexpr std::array<std::pair<std::string_view, std::string_view>, 17> batch_elements{{
    {"GetItem", "ItemIds"},
    {"CreateItem", "Items"},
    {"UpdateItem", "ItemChanges"},
    {"DeleteItem", "ItemIds"},
    {"MoveItem", "ItemIds"},
    {"CopyItem", "ItemIds"},
    {"SendItem", "ItemIds"},
    {"GetFolder", "FolderIds"},
    {"CreateFolder", "Folders"},
    {"DeleteFolder", "FolderIds"},
    {"UpdateFolder", "FolderChanges"},
    {"FindItem", "ParentFolderIds"},
    {"FindFolder", "ParentFolderIds"},
    {"CreateAttachment", "Attachments"},
    {"GetAttachment", "AttachmentIds"},
    {"DeleteAttachment", "AttachmentIds"},
    {"ConvertId", "SourceIds"},
}};

Impersonation read_impersonation(const xmlNode* header) {
  Impersonation out;
  const auto choices = child_elements(child_named(header, "ConnectingSID"));
  if (choices.size() != 1) return out;
  out.kind = local_name(choices.front());
  out.name = std::string(syncline::text::trim(text_of(choices.front())));
  constexpr std::array kinds{"PrincipalName", "SID", "PrimarySmtpAddress", "SmtpAddress"};
  if (out.name.empty() || std::find(kinds.begin(), kinds.end(), out.kind) == kinds.end()) out.kind.clear();
  return out;
}

void set_number(xmlNode* parent, xmlNs* space, const char* name, std::uint64_t limit, bool is_attribute) {
  const auto lowered = [&](const std::string& now) {
    const auto number = syncline::text::parse_int(syncline::text::trim(now));
    return std::to_string(
        number && *number > 0 ? std::min<std::uint64_t>(limit, static_cast<std::uint64_t>(*number)) : limit);
  };
  const auto* xml_name = reinterpret_cast<const xmlChar*>(name);
  if (is_attribute) {
    const auto value = lowered(attribute_of(parent, name));
    xmlSetProp(parent, xml_name, reinterpret_cast<const xmlChar*>(value.c_str()));
  } else if (xmlNode* child = child_named(parent, name)) {
    const auto value = lowered(text_of(child));
    xmlNodeSetContent(child, reinterpret_cast<const xmlChar*>(value.c_str()));
  } else {
    const auto value = std::to_string(limit);
    xmlNewChild(parent, space, xml_name, reinterpret_cast<const xmlChar*>(value.c_str()));
  }
}

}  // namespace

syncline::Result<EwsRequest> read_envelope(const XmlDocument& document) {
  const xmlNode* root = document.root();
  if (!is_element(root, soap_namespace, "Envelope")) {
    return fail(ErrorDomain::soap, "not-soap", "the root element is no SOAP 1.1 Envelope");
  }
  const auto body = child_elements(child_named(root, "Body"));
  if (body.size() != 1) return fail(ErrorDomain::soap, "not-soap", "the Body has no element, or several");

  EwsRequest out;
  const xmlNode* operation = body.front();
  out.operation = local_name(operation);
  for (const xmlNode* header : child_elements(child_named(root, "Header"))) {
    if (is_element(header, types_namespace, "RequestServerVersion"))
      out.version = attribute_of(header, "Version");
    if (is_element(header, types_namespace, "ExchangeImpersonation"))
      out.impersonation = read_impersonation(header);
  }
  for (const auto& [name, element] : batch_elements) {
    if (out.operation == name)
      out.batch = std::max<std::size_t>(1, child_elements(child_named(operation, element)).size());
  }
  if (out.operation == "GetStreamingEvents") {
    for (const xmlNode* id : child_elements(child_named(operation, "SubscriptionIds"))) {
      out.subscription_ids.emplace_back(syncline::text::trim(text_of(id)));
    }
    const auto minutes =
        syncline::text::parse_int(syncline::text::trim(text_of(child_named(operation, "ConnectionTimeout"))));
    out.connection_timeout_minutes =
        minutes && *minutes >= 0 && *minutes <= 1000 ? static_cast<int>(*minutes) : 0;
  }
  return out;
}

std::optional<std::string> with_page_limit(std::string_view soap_xml, std::uint64_t limit) {
  limit = std::max<std::uint64_t>(limit, 1);
  auto document = XmlDocument::parse(soap_xml);
  if (!document) return std::nullopt;
  const auto body = child_elements(child_named(document->root(), "Body"));
  if (body.size() != 1) return std::nullopt;
  xmlNode* operation = body.front();
  const auto name = local_name(operation);
  if (name == "SyncFolderItems") {
    set_number(operation, operation->ns, "MaxChangesReturned", limit, false);
    return document->serialize();
  }
  if (name != "FindItem" && name != "FindFolder") return std::nullopt;
  for (const char* view : {"IndexedPageItemView", "FractionalPageItemView", "CalendarView", "ContactsView",
                           "IndexedPageFolderView", "FractionalPageFolderView"}) {
    if (xmlNode* found = child_named(operation, view)) {
      set_number(found, nullptr, "MaxEntriesReturned", limit, true);
      return document->serialize();
    }
  }
  // The view follows the shape in both operations.
  xmlNode* shape = child_named(operation, name == "FindItem" ? "ItemShape" : "FolderShape");
  if (shape == nullptr) return std::nullopt;
  xmlNode* view = xmlNewDocNode(
      document->get(), operation->ns,
      reinterpret_cast<const xmlChar*>(name == "FindItem" ? "IndexedPageItemView" : "IndexedPageFolderView"),
      nullptr);
  set_number(view, nullptr, "MaxEntriesReturned", limit, true);
  xmlSetProp(view, reinterpret_cast<const xmlChar*>("Offset"), reinterpret_cast<const xmlChar*>("0"));
  xmlSetProp(view, reinterpret_cast<const xmlChar*>("BasePoint"),
             reinterpret_cast<const xmlChar*>("Beginning"));
  xmlAddNextSibling(shape, view);
  return document->serialize();
}

}  // namespace exchange_sim
