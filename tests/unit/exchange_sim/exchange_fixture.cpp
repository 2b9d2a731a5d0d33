// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/exchange_sim/exchange_fixture.hpp"

#include <libxml/parser.h>
#include <libxml/xmlschemas.h>

#include <cstdio>
#include <filesystem>
#include <memory>

#include "base/text.hpp"

namespace exchange_sim::test {
namespace {

const std::string kSchema =
    std::string(SYNCLINE_SOURCE_DIR) + "/../shared/reference/ews/contract/ews-soap.xsd";

void keep_first(void* user, xmlErrorPtr error) {
  auto& complaint = *static_cast<std::string*>(user);
  if (complaint.empty() && error->message != nullptr) complaint = error->message;
}

xmlSchemaPtr schema() {
  static const auto loaded = [] {
    std::unique_ptr<xmlSchemaParserCtxt, void (*)(xmlSchemaParserCtxtPtr)> parser(
        xmlSchemaNewParserCtxt(kSchema.c_str()), &xmlSchemaFreeParserCtxt);
    return std::unique_ptr<xmlSchema, void (*)(xmlSchemaPtr)>(xmlSchemaParse(parser.get()), &xmlSchemaFree);
  }();
  return loaded.get();
}

}  // namespace

bool schema_at_hand() {
  static const bool there = [] {
    const bool found = std::filesystem::exists(kSchema);
    if (!found)
      std::puts("SKIPPED: replies are not checked against the protocol's schema, which is not here");
    return found;
  }();
  return there;
}

std::string schema_complaint(const std::string& envelope) {
  std::string complaint;
  std::unique_ptr<xmlDoc, void (*)(xmlDocPtr)> document(
      xmlReadMemory(envelope.data(), static_cast<int>(envelope.size()), "reply", nullptr,
                    XML_PARSE_NONET | XML_PARSE_HUGE),
      &xmlFreeDoc);
  if (!document) return "not well-formed";
  std::unique_ptr<xmlSchemaValidCtxt, void (*)(xmlSchemaValidCtxtPtr)> check(xmlSchemaNewValidCtxt(schema()),
                                                                             &xmlSchemaFreeValidCtxt);
  xmlSchemaSetValidStructuredErrors(check.get(), keep_first, &complaint);
  if (xmlSchemaValidateDoc(check.get(), document.get()) != 0 && complaint.empty()) complaint = "invalid";
  return complaint;
}

ExchangeTest::ExchangeTest() : service_(clock_, random_, limits_) {
  for (const auto& [address, name] : {std::pair{"anna@example.com", "Anna Berg"},
                                      {"ben@example.com", "Ben Frost"},
                                      {"cleo@cloud.example", "Cleo Hart"}})
    EXPECT_TRUE(service_.add_mailbox({address, name, "", {}}));
}

Element ExchangeTest::ask(std::string_view operation, std::string_view mailbox, std::string_view zone) {
  std::string envelope =
      "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" "
      "xmlns:m=\"http://schemas.microsoft.com/exchange/services/2006/messages\" "
      "xmlns:t=\"http://schemas.microsoft.com/exchange/services/2006/types\">";
  if (!zone.empty())
    envelope += "<s:Header><t:TimeZoneContext><t:TimeZoneDefinition Id=\"" + std::string(zone) +
                "\"/></t:TimeZoneContext></s:Header>";
  envelope += "<s:Body>" + std::string(operation) + "</s:Body></s:Envelope>";
  const Caller caller{"", std::string(mailbox), std::string(mailbox), ""};
  const Reply reply = service_.handle(caller, envelope);
  const std::string answer = "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>" +
                             reply.body_xml + "</s:Body></s:Envelope>";
  if (schema_at_hand()) {
    const std::string complaint = schema_complaint(answer);
    EXPECT_EQ("", complaint) << answer.substr(0, 3000);
  }
  auto root = parse_xml(answer);
  if (!root) {
    ADD_FAILURE() << root.error().message << '\n' << answer.substr(0, 2000);
    return {};
  }
  return root->children.front().children.front();
}

Element ExchangeTest::first(std::string_view operation, std::string_view mailbox, std::string_view zone) {
  const Element reply = ask(operation, mailbox, zone);
  const Element* messages = reply.child("ResponseMessages");
  if (messages == nullptr || messages->children.empty()) {
    ADD_FAILURE() << "no response message but " << reply.name << ' ' << reply.child_text("faultstring");
    return {};
  }
  return messages->children.front();
}

std::string ExchangeTest::create(std::string_view item_xml, std::string_view attributes,
                                 std::string_view folder) {
  std::string request = "<m:CreateItem " + std::string(attributes) + '>';
  if (!folder.empty())
    request += "<m:SavedItemFolderId><t:DistinguishedFolderId Id=\"" + std::string(folder) +
               "\"/></m:SavedItemFolderId>";
  const Element message = first(request + "<m:Items>" + std::string(item_xml) + "</m:Items></m:CreateItem>");
  EXPECT_EQ("NoError", code_of(message)) << message.child_text("MessageText");
  const Element* items = message.child("Items");
  return items == nullptr || items->children.empty() ? std::string() : id_in(items->children.front());
}

Element ExchangeTest::get(const std::string& id, std::string_view mailbox, std::string_view extra) {
  const Element message =
      first("<m:GetItem><m:ItemShape><t:BaseShape>AllProperties</t:BaseShape>" + std::string(extra) +
                "</m:ItemShape><m:ItemIds><t:ItemId Id=\"" + id + "\"/></m:ItemIds></m:GetItem>",
            mailbox);
  EXPECT_EQ("NoError", code_of(message));
  const Element* items = message.child("Items");
  return items == nullptr || items->children.empty() ? Element{} : items->children.front();
}

std::string ExchangeTest::update(const std::string& id, const std::string& key, std::string_view updates,
                                 std::string_view attributes) {
  return code_of(first("<m:UpdateItem " + std::string(attributes) +
                       "><m:ItemChanges><t:ItemChange><t:ItemId Id=\"" + id + "\" ChangeKey=\"" + key +
                       "\"/><t:Updates>" + std::string(updates) +
                       "</t:Updates></t:ItemChange></m:ItemChanges></m:UpdateItem>"));
}

ExchangeTest::SyncPage ExchangeTest::sync(std::string_view folder, const std::string& state, std::size_t most,
                                          std::string_view mailbox) {
  std::string request =
      "<m:SyncFolderItems><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape><m:SyncFolderId>"
      "<t:DistinguishedFolderId Id=\"" +
      std::string(folder) + "\"/></m:SyncFolderId>";
  if (!state.empty()) request += "<m:SyncState>" + state + "</m:SyncState>";
  request += "<m:MaxChangesReturned>" + std::to_string(most) + "</m:MaxChangesReturned></m:SyncFolderItems>";
  const Element message = first(request, mailbox);
  SyncPage page;
  page.code = code_of(message);
  page.state = message.child_text("SyncState");
  page.last = message.child_text("IncludesLastItemInRange") == "true";
  if (const Element* changes = message.child("Changes"))
    for (const Element& change : changes->children)
      page.changes.push_back({change.name,
                              change.child("ItemId") != nullptr ? *change.child("ItemId")->attribute("Id")
                                                                : id_in(change.children.front()),
                              std::string(change.child_text("IsRead"))});
  return page;
}

const Element* at(const Element& element, std::string_view path) {
  const Element* found = &element;
  for (const std::string_view name : syncline::text::split(path, '/')) {
    found = found->child(name);
    if (found == nullptr) return nullptr;
  }
  return found;
}

std::string text_at(const Element& element, std::string_view path) {
  const Element* found = at(element, path);
  return found == nullptr ? std::string() : found->text;
}

std::string id_in(const Element& element) {
  const Element* id = element.child("ItemId");
  return id == nullptr ? std::string() : std::string(id->attribute_or("Id", ""));
}

std::string key_in(const Element& element) {
  const Element* id = element.child("ItemId");
  return id == nullptr ? std::string() : std::string(id->attribute_or("ChangeKey", ""));
}

}  // namespace exchange_sim::test
