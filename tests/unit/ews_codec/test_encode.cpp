// SPDX-License-Identifier: GPL-3.0-or-later
// Every request is valid: against our profile always, against the protocol's own schema where that is at
// hand.
#include <gtest/gtest.h>
#include <libxml/parser.h>
#include <libxml/xmlschemas.h>

#include <filesystem>
#include <memory>
#include <set>

#include "base/base64.hpp"
#include "requests.hpp"

namespace syncline::ews {
namespace {

void remember(void* text, const char* format, ...) {
  char line[1024];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  *static_cast<std::string*>(text) += line;
}

class Validator {
 public:
  explicit Validator(const std::string& file) {
    const std::unique_ptr<xmlSchemaParserCtxt, decltype(&xmlSchemaFreeParserCtxt)> parser(
        xmlSchemaNewParserCtxt(file.c_str()), xmlSchemaFreeParserCtxt);
    xmlSchemaSetParserErrors(parser.get(), remember, remember, &errors_);
    schema_.reset(xmlSchemaParse(parser.get()));
  }
  bool loaded() const { return schema_ != nullptr; }
  const std::string& load_errors() const { return errors_; }

  /// What is wrong with the document; empty: nothing.
  std::string check(const std::string& xml) const {
    const std::unique_ptr<xmlDoc, decltype(&xmlFreeDoc)> document(
        xmlReadMemory(xml.data(), static_cast<int>(xml.size()), "request.xml", nullptr, XML_PARSE_NONET),
        xmlFreeDoc);
    if (!document) return "not well-formed";
    const std::unique_ptr<xmlSchemaValidCtxt, decltype(&xmlSchemaFreeValidCtxt)> context(
        xmlSchemaNewValidCtxt(schema_.get()), xmlSchemaFreeValidCtxt);
    std::string errors;
    xmlSchemaSetValidErrors(context.get(), remember, remember, &errors);
    return xmlSchemaValidateDoc(context.get(), document.get()) == 0 ? "" : errors + " ";
  }

 private:
  std::string errors_;
  std::unique_ptr<xmlSchema, decltype(&xmlSchemaFree)> schema_{nullptr, xmlSchemaFree};
};

void every_request_is_valid(const std::string& schema, std::size_t operations) {
  const Validator validator(schema);
  ASSERT_TRUE(validator.loaded()) << validator.load_errors();
  SoapHeader header;
  header.impersonate_smtp = "user@example.com";
  std::set<std::string_view> seen;
  test::for_each_request([&](const auto& request) {
    const auto xml = codec::encode(request, header);
    ASSERT_TRUE(xml) << request.operation << ": " << xml.error().describe();
    EXPECT_EQ(validator.check(*xml), "") << *xml;
    seen.insert(request.operation);
  });
  EXPECT_EQ(seen.size(), operations);
}

TEST(Encode, EveryRequestIsValidAgainstOurProfile) {
  every_request_is_valid(SYNCLINE_SOURCE_DIR "/wsdl/soap-envelope.xsd", 22);
}

TEST(Encode, EveryRequestIsValidAgainstTheProtocolsSchema) {
  const std::string schema = SYNCLINE_SOURCE_DIR "/../shared/reference/ews/contract/ews-soap.xsd";
  if (!std::filesystem::exists(schema)) GTEST_SKIP() << "SKIPPED: no contract beside the source tree";
  every_request_is_valid(schema, 22);
}

TEST(Encode, TheValidatorOfTheseTestsRefusesAWrongRequest) {
  const Validator validator(SYNCLINE_SOURCE_DIR "/wsdl/soap-envelope.xsd");
  auto xml = codec::encode(UnsubscribeRequest{"s"}, {});
  ASSERT_TRUE(xml);
  for (auto at = xml->find("SubscriptionId"); at != std::string::npos; at = xml->find("SubscriptionId", at))
    xml->replace(at, 14, "SubscriptionIf");
  EXPECT_NE(validator.check(*xml), "");
}

template <class Request>
std::string error_code(const Request& request) {
  const auto xml = codec::encode(request, SoapHeader{});
  return xml ? "" : xml.error().code;
}

TEST(Encode, WhatTheProtocolRequiresIsNotLeftOut) {
  EXPECT_EQ(error_code(GetItemRequest{}), "missing-element");
  EXPECT_EQ(error_code(GetItemRequest{.ids = {ItemId{}}}), "missing-element");
  EXPECT_EQ(error_code(GetFolderRequest{}), "missing-element");
  EXPECT_EQ(error_code(CreateItemRequest{}), "missing-element");
  EXPECT_EQ(error_code(UpdateItemRequest{.changes = {{ItemId{"a"}, {}}}}), "missing-element");
  EXPECT_EQ(error_code(GetEventsRequest{}), "missing-element");
  EXPECT_EQ(error_code(SubscribeRequest{.folders = {FolderId{"a"}}, .events = {}}), "missing-element");
  EXPECT_EQ(error_code(CreateItemRequest{.items = {test::appointment({}, NoEndRange{Date::of(2026, 1, 1)})}}),
            "missing-element");
}

TEST(Encode, WhatCannotBeWrittenIsRefused) {
  EXPECT_EQ(error_code(SyncFolderItemsRequest{.folder = FolderId{"a"}, .max_changes = 513}), "bad-value");
  EXPECT_EQ(error_code(GetStreamingEventsRequest{{"s"}, 31}), "bad-value");
  EXPECT_EQ(error_code(CreateItemRequest{.items = {Item{.kind = ItemKind::opaque}}}), "bad-value");
  Item item{.kind = ItemKind::task};
  item.task.get_or_make().due_date = DateTime::parse("soon");
  EXPECT_EQ(error_code(CreateItemRequest{.items = {item}}), "bad-value");
  EXPECT_EQ(
      error_code(FindItemRequest{.restriction = Restriction{And{{Restriction{Exists{test::subject_path}}}}},
                                 .parents = {FolderId{"a"}}}),
      "bad-value");
  // Regeneration is for tasks.
  EXPECT_EQ(error_code(CreateItemRequest{
                .items = {test::appointment(RegeneratingPattern{}, NoEndRange{Date::of(2026, 1, 1)})}}),
            "missing-element");
}

TEST(Encode, ARestrictionIsOnlySoDeep) {
  Restriction tree{Exists{test::subject_path}};
  for (int depth = 1; depth < 32; ++depth) tree = Restriction{Not{{std::move(tree)}}};
  EXPECT_EQ(error_code(FindItemRequest{.restriction = tree, .parents = {FolderId{"a"}}}), "");
  tree = Restriction{Not{{std::move(tree)}}};
  EXPECT_EQ(error_code(FindItemRequest{.restriction = tree, .parents = {FolderId{"a"}}}), "too-deep");
}

TEST(Encode, NoOctetsMakeARequestThatIsNotXml) {
  const Validator validator(SYNCLINE_SOURCE_DIR "/wsdl/soap-envelope.xsd");
  std::string all;
  for (int octet = 0; octet < 256; ++octet) all += static_cast<char>(octet);
  all += "\xef\xbf\xbf\xed\xa0\x80]]>\xf4\x90\x80\x80";
  Item item{.kind = ItemKind::message};
  item.subject = all;
  item.body = Body{.value = all};
  item.categories = {all};
  item.extended_properties = {{.uri = {.property_name = all}, .values = {all}}};
  item.message.get_or_make().to_recipients = {{.name = all, .address = all}};
  SoapHeader header;
  header.impersonate_smtp = all;
  const auto xml =
      codec::encode(CreateItemRequest{.saved_item_folder = FolderId{all, all}, .items = {item}}, header);
  ASSERT_TRUE(xml);
  EXPECT_EQ(validator.check(*xml), "");
}

TEST(Encode, ASplicedRequestIsTheWholeOneInTwoPieces) {
  CreateItemRequest request{.items = {test::full_message()},
                            .message_disposition = MessageDisposition::save_only};
  std::get<Item>(request.items[0]).mime_content = MimeContent{.octets = "streamed"};
  const auto whole = codec::encode(request, {});
  std::get<Item>(request.items[0]).mime_content = MimeContent{.octets = codec::splice_marker()};
  const auto pieces = codec::encode_spliced(request, {});
  ASSERT_TRUE(whole && pieces);
  EXPECT_EQ(pieces->prefix + base64_encode("streamed") + pieces->suffix, *whole);

  Attachment file{.name = "f"};
  file.content = FileContent{.content = codec::splice_marker()};
  EXPECT_TRUE(codec::encode_spliced(CreateAttachmentRequest{ItemId{"i"}, {file}}, {}));
  const auto twice = codec::encode_spliced(CreateAttachmentRequest{ItemId{"i"}, {file, file}}, {});
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().code, "bad-splice");
  EXPECT_FALSE(codec::encode_spliced(UnsubscribeRequest{"s"}, {}));
}

TEST(Encode, TheHeaderSaysUtcAndWhoIsImpersonated) {
  SoapHeader header;
  auto xml = codec::encode(GetItemRequest{.ids = {ItemId{"a"}}}, header);
  ASSERT_TRUE(xml);
  EXPECT_NE(xml->find(R"(TimeZoneDefinition Id="UTC")"), std::string::npos);
  EXPECT_NE(xml->find(R"(RequestServerVersion Version="Exchange2013_SP1")"), std::string::npos);
  EXPECT_EQ(xml->find("ExchangeImpersonation"), std::string::npos);
  EXPECT_EQ(xml->find("mustUnderstand"), std::string::npos);
  header.impersonate_smtp = "user@example.com";
  xml = codec::encode(DeleteItemRequest{.ids = {ItemId{"a"}}}, header);
  ASSERT_TRUE(xml);
  EXPECT_NE(xml->find("SmtpAddress>user@example.com<"), std::string::npos);
  // DeleteItem takes no time zone.
  EXPECT_EQ(xml->find("TimeZoneContext"), std::string::npos);
}

}  // namespace
}  // namespace syncline::ews
