// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>

#include "harness.hpp"
#include "tools/exchange-sim/front/mangle.hpp"
#include "tools/exchange-sim/front/xml_document.hpp"

namespace exchange_sim::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string envelope =
    "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<s:Envelope "
    "xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\">"
    "<s:Body><m:SyncFolderItemsResponse "
    "xmlns:m=\"http://schemas.microsoft.com/exchange/services/2006/messages\" "
    "xmlns:t=\"http://schemas.microsoft.com/exchange/services/2006/types\"><m:ResponseMessages>"
    "<m:SyncFolderItemsResponseMessage ResponseClass=\"Success\"><m:ResponseCode>NoError</m:ResponseCode>"
    "<m:SyncState>after</m:SyncState><m:IncludesLastItemInRange>false</"
    "m:IncludesLastItemInRange><m:Changes><t:Create>"
    "<t:Message><t:ItemId "
    "Id=\"A\"/><t:Subject>gr\xC3\xBC\xC3\x9F\x65</t:Subject><t:Sensitivity>Normal</t:Sensitivity>"
    "<t:Periods><t:Period/><t:Period/></t:Periods></t:Message></t:Create></m:Changes>"
    "</m:SyncFolderItemsResponseMessage></m:ResponseMessages></m:SyncFolderItemsResponse></s:Body></"
    "s:Envelope>\n";

const std::string request = soap("<m:SyncFolderItems><m:SyncState>before</m:SyncState></m:SyncFolderItems>");

std::string mangled(const std::string& rule) {
  const auto parsed = parse_fault_rule(rule);
  EXPECT_TRUE(parsed) << rule;
  return rewrite_xml(parsed.value_or(FaultRule{}), envelope, "SyncFolderItems", request);
}

TEST(MangleTest, illegal_characters_come_as_references_raw_surrogates_or_broken_utf8_inside_the_text) {
  EXPECT_THAT(mangled(R"({"action":"illegal-characters","element":"Subject"})"), HasSubstr("&#x1;"));
  EXPECT_THAT(mangled(R"({"action":"illegal-characters","element":"Subject","value":"raw"})"),
              HasSubstr("\x01"));
  EXPECT_THAT(mangled(R"({"action":"illegal-characters","element":"Subject","value":"surrogate"})"),
              HasSubstr("&#xD800;"));
  EXPECT_THAT(mangled(R"({"action":"illegal-characters","element":"Subject","value":"utf8"})"),
              HasSubstr("\xC3\x28\xFF"));
  const auto literal =
      mangled(R"({"action":"illegal-characters","element":"Subject","value":"&#x1F;&#x0;"})");
  EXPECT_THAT(literal, HasSubstr("gr&#x1F;&#x0;\xC3\xBC\xC3\x9F\x65")) << "not inside a character";
  EXPECT_FALSE(XmlDocument::parse(literal)) << "a strict parser must not be able to read it";
}

TEST(MangleTest, wrong_order_keeps_every_element) {
  const auto out = mangled(R"({"action":"wrong-order","element":"Message"})");
  EXPECT_LT(out.find("<t:Sensitivity>"), out.find("<t:Subject>"));
  EXPECT_LT(out.find("<t:Subject>"), out.find("<t:ItemId"));
}

TEST(MangleTest, foreign_elements_stand_before_every_element) {
  const auto out = mangled(R"({"action":"foreign-elements"})");
  EXPECT_THAT(out, HasSubstr("<x:Telemetry xmlns:x=\"urn:example:unknown\" Level=\"3\">"));
  EXPECT_THAT(out, HasSubstr("</x:Telemetry><t:Subject>"));
}

TEST(MangleTest, texts_and_elements_can_be_replaced_and_removed) {
  EXPECT_THAT(mangled(R"({"action":"unknown-value"})"), HasSubstr("<t:Sensitivity>Quantum</t:Sensitivity>"));
  EXPECT_THAT(mangled(R"({"action":"set-text","element":"ItemId","value":"a<b"})"), HasSubstr("a&lt;b"));
  EXPECT_THAT(mangled(R"({"action":"set-text","element":"Periods","value":""})"),
              Not(HasSubstr("<t:Period/>")));
  EXPECT_THAT(mangled(R"({"action":"remove-element","element":"SyncState"})"), Not(HasSubstr("after")));
  EXPECT_EQ(mangled(R"({"action":"remove-element","element":"NoSuch"})"), envelope);
  EXPECT_THAT(mangled(R"({"action":"rename-namespace","element":"Subject","value":"messages"})"),
              HasSubstr("<m:Subject>"));
  EXPECT_THAT(mangled(R"({"action":"rename-namespace","element":"Subject","value":"urn:x"})"),
              HasSubstr("<renamed:Subject xmlns:renamed=\"urn:x\">"));
}

TEST(MangleTest, an_empty_listing_does_not_move_the_sync_state) {
  const auto out = mangled(R"({"action":"empty-listing"})");
  EXPECT_THAT(out, HasSubstr("<m:Changes/>"));
  EXPECT_THAT(out, HasSubstr("<m:SyncState>before</m:SyncState>"));
}

TEST(MangleTest, deep_nesting_is_as_deep_as_ordered) {
  const auto out = mangled(R"({"action":"deep-nesting","limit":1000})");
  std::size_t levels = 0;
  for (auto at = out.find("<d>"); at != out.npos; at = out.find("<d>", at + 1)) ++levels;
  EXPECT_EQ(levels, 1000u);
}

TEST(MangleTest, an_envelope_that_is_beyond_reading_stays_as_it_is) {
  const auto rule = parse_fault_rule(R"({"action":"wrong-order"})");
  EXPECT_EQ(rewrite_xml(*rule, "<broken", "GetItem", ""), "<broken");
}

}  // namespace
}  // namespace exchange_sim::testing
