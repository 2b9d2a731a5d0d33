// SPDX-License-Identifier: GPL-3.0-or-later
// Encoded words, addresses, parameters, ids.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/base64.hpp"
#include "base/random.hpp"
#include "base/text.hpp"
#include "mime/addresses.hpp"
#include "mime/encoded_word.hpp"
#include "mime/message_ids.hpp"
#include "mime/parameters.hpp"

namespace syncline::mime {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string text(std::string_view value, std::string_view hint = {}) {
  return decode_unstructured(value, hint).text;
}

TEST(EncodedWord, IsDecoded) {
  EXPECT_EQ(text("=?utf-8?Q?J=C3=B6rg_says?= hi"), "J\u00F6rg says hi");
  EXPECT_EQ(text("=?UTF-8?b?SsO2cmc=?="), "J\u00F6rg");
  EXPECT_EQ(text("=?iso-8859-1*de?Q?J=F6rg?="), "J\u00F6rg");
  EXPECT_EQ(text("a =?utf-8?Q?b?= =?utf-8?Q?c?= d"), "a bc d");
  EXPECT_EQ(text("=?utf-8?Q?b?=x=?utf-8?Q?c?="), "bxc");
  EXPECT_EQ(text("=?utf-8?Q?with blanks?="), "with blanks");
  EXPECT_EQ(text("=?utf-8?Q?"
                 "?=x"),
            "x");
}

TEST(EncodedWord, CutInsideACharacterIsJoined) {
  // Two octets of one character in two words, as GMime reads them wrongly.
  EXPECT_EQ(text("=?utf-8?Q?J=C3?= =?utf-8?Q?=B6rg?="), "J\u00F6rg");
  EXPECT_EQ(text("=?utf-8?B?SsM=?=\r\n =?utf-8?B?tnJn?="), "J\u00F6rg");
  EXPECT_EQ(text("=?utf-8?B?SsM=?= =?UTF-8?Q?=B6rg?="), "J\u00F6rg");
  // A group of base64 cut in two.
  EXPECT_EQ(text("=?utf-8?B?SsO2c?= =?utf-8?B?mc=?="), "J\u00F6rg");
  // Another charset does not take it up.
  EXPECT_EQ(text("=?utf-8?Q?a?= =?iso-8859-1?Q?=F6?="), "a\u00F6");
}

TEST(EncodedWord, ThatIsNoneStaysAsItStands) {
  for (const char* value : {"=?utf-8?X?abc?=", "=?utf-8?Q?no end",
                            "=?"
                            "?Q?x?=",
                            "=?utf-8?Q", "=?", "=?a?=?="}) {
    const HeaderText read = decode_unstructured(value);
    EXPECT_EQ(read.text, value);
    EXPECT_TRUE(read.defects.has(Defect::bad_encoded_word)) << value;
  }
}

TEST(HeaderTextReading, TakesRawOctets) {
  EXPECT_EQ(text("J\xC3\xB6rg"), "J\u00F6rg");
  EXPECT_TRUE(decode_unstructured("J\xC3\xB6rg").defects.empty());
  EXPECT_EQ(text("J\xF6rg"), "J\u00F6rg");
  EXPECT_TRUE(decode_unstructured("J\xF6rg").defects.has(Defect::raw_8bit_header));
  EXPECT_EQ(text("\xF0\xD2\xC9\xD7\xC5\xD4", "koi8-r"), "\u041F\u0440\u0438\u0432\u0435\u0442");
}

TEST(HeaderTextReading, ShowsControlsAsSpaces) {
  EXPECT_EQ(text("a\tb\x01"
                 "c\xC2\x85"
                 "d"),
            "a b c d");
  EXPECT_EQ(text("=?utf-8?Q?a=0D=0ABcc:_x?="), "a  Bcc: x");
}

TEST(HeaderTextReading, TakesTimeInProportionToTheLength) {
  // Each of these made a naive reader look through all the rest again.
  std::string value;
  while (value.size() < 1'000'000) value += "=?a?q?x";
  EXPECT_EQ(text(value), value);
  std::string marked;
  while (marked.size() < 200'000) marked += "=?";
  EXPECT_EQ(decode_structured(marked).text.size(), marked.size() + marked.size() / 2 * 3);
  parse_addresses(value.substr(0, 200'000));
  // Charsets that do not exist are not looked for without end.
  std::string unknown;
  for (int i = 0; i < 20'000; ++i) unknown += "=?x" + std::to_string(i) + "?q?y?= ";
  EXPECT_EQ(text(unknown), std::string(20'000, 'y'));
}

std::vector<Mailbox> people(std::string_view field) {
  return parse_addresses(field).mailboxes;
}

TEST(AddressReading, TakesWhatSendersWrite) {
  EXPECT_THAT(people("Joe Q. Public <john.q.public@example.com>"),
              ElementsAre(Mailbox{"Joe Q. Public", "john.q.public@example.com"}));
  EXPECT_THAT(people("\"Giant; \\\"Big\\\" Box\" <s@example.net>, boss@nil.test"),
              ElementsAre(Mailbox{"Giant; \"Big\" Box", "s@example.net"}, Mailbox{"", "boss@nil.test"}));
  EXPECT_THAT(
      people("A Group:Ed Jones <c@a.test>,joe@where.test;, x@y.test"),
      ElementsAre(Mailbox{"Ed Jones", "c@a.test"}, Mailbox{"", "joe@where.test"}, Mailbox{"", "x@y.test"}));
  EXPECT_THAT(people("undisclosed-recipients:;"), IsEmpty());
  EXPECT_THAT(people("pete(his account)@silly.test"), ElementsAre(Mailbox{"", "pete@silly.test"}));
  EXPECT_THAT(people("john@example.com (John Doe)"), ElementsAre(Mailbox{"John Doe", "john@example.com"}));
  EXPECT_THAT(people("Doe, John <j@example.com>"), ElementsAre(Mailbox{"Doe, John", "j@example.com"}));
}

TEST(AddressReading, DecodesNamesButNeverStructure) {
  EXPECT_THAT(people("=?utf-8?Q?J=C3?= =?utf-8?Q?=B6rg?= Doe <j@example.com>"),
              ElementsAre(Mailbox{"J\u00F6rg Doe", "j@example.com"}));
  EXPECT_THAT(people("=?utf-8?Q?Doe=2C_John?= <j@example.com>"),
              ElementsAre(Mailbox{"Doe, John", "j@example.com"}));
  EXPECT_THAT(people("=?utf-8?Q?Eve=22_<eve=40evil.test>=2C?= <j@example.com>"),
              ElementsAre(Mailbox{"Eve\" <eve@evil.test>,", "j@example.com"}));
  EXPECT_THAT(people("\"=?utf-8?B?SsO2cmc=?=\" <j@example.com>"),
              ElementsAre(Mailbox{"J\u00F6rg", "j@example.com"}));
  EXPECT_THAT(people("J\xF6rg <j@example.com>"), ElementsAre(Mailbox{"J\u00F6rg", "j@example.com"}));
  EXPECT_THAT(people("\u7528\u6237 <\u7528\u6237@\u4F8B\u5B50.test>"),
              ElementsAre(Mailbox{"\u7528\u6237", "\u7528\u6237@\u4F8B\u5B50.test"}));
}

TEST(AddressReading, TakesLocalPartsThatAreNoDotAtoms) {
  EXPECT_THAT(people("a..b.@docomo.test"), ElementsAre(Mailbox{"", "a..b.@docomo.test"}));
  EXPECT_THAT(people("\"X\" <.a..b.@docomo.test>"), ElementsAre(Mailbox{"X", ".a..b.@docomo.test"}));
  EXPECT_THAT(people("\"john doe\"@example.com"), ElementsAre(Mailbox{"", "\"john doe\"@example.com"}));
  EXPECT_THAT(people("a @ example . com"), ElementsAre(Mailbox{"", "a@example.com"}));
}

TEST(AddressReading, ThatFindsNoAddressKeepsTheTextAsAName) {
  const AddressList list = parse_addresses("nobody in particular");
  ASSERT_EQ(list.mailboxes.size(), 1U);
  EXPECT_EQ(list.mailboxes[0].address, "");
  EXPECT_EQ(list.mailboxes[0].name, "nobody in particular");
  EXPECT_TRUE(list.defects.has(Defect::bad_address));
  EXPECT_TRUE(parse_addresses("<<<>>> , @@, \"unclosed").defects.has(Defect::bad_address));
}

TEST(AddressReading, SurvivesGroupsInGroupsAndOpenComments) {
  std::string groups;
  while (groups.size() < 250'000) groups += "a:";
  EXPECT_TRUE(parse_addresses(groups).defects.has(Defect::bad_address));
  parse_addresses(std::string(250'000, '('));
  parse_addresses(std::string(250'000, '<'));
  parse_addresses(std::string(250'000, '"'));
  parse_addresses(std::string("a@b.test\0, c@d.test", 19));
  Limits limits;
  limits.addresses = 10;
  std::string many;
  for (int i = 0; i < 100; ++i) many += "a@b.test, ";
  EXPECT_EQ(parse_addresses(many, {}, limits).mailboxes.size(), 10U);
}

TEST(AddressReading, AnyOctetsGiveValidTexts) {
  SeededRandom random(11);
  const std::string_view alphabet = "ab@.<>\"(),;:\\[] =?utf-8QB_\t\xC3\xB6\xFF\x01";
  for (int round = 0; round < 20'000; ++round) {
    std::string field;
    for (std::uint64_t i = random.below(40); i > 0; --i) field += alphabet[random.below(alphabet.size())];
    for (const Mailbox& one : people(field)) {
      EXPECT_TRUE(text::is_valid_utf8(one.name) && text::is_valid_utf8(one.address))
          << text::escape_for_display(field);
      EXPECT_EQ((one.name + one.address).find_first_of("\r\n\t"), std::string::npos);
    }
  }
}

std::optional<std::string> parameter(std::string_view field, std::string_view name) {
  Defects defects;
  return Parameters::parse(field).text(name, {}, defects);
}

TEST(ParameterReading, TakesWhatSendersWrite) {
  const Parameters type = Parameters::parse("Text / Plain (a comment); CHARSET=\"utf-8\"; format=flowed");
  EXPECT_EQ(type.value(), "text/plain");
  EXPECT_EQ(type.octets("charset"), "utf-8");
  EXPECT_EQ(type.octets("format"), "flowed");
  EXPECT_EQ(type.octets("boundary"), std::nullopt);
  EXPECT_EQ(parameter("attachment; filename=my file (1).pdf", "filename"), "my file (1).pdf");
  EXPECT_EQ(parameter("attachment; filename=\"C:\\dir\\a \\\"b\\\".txt\"", "filename"),
            "C:\\dir\\a \"b\".txt");
  EXPECT_EQ(parameter("attachment; filename=\"semi;colon\"; size=1", "filename"), "semi;colon");
  EXPECT_EQ(parameter("attachment; filename", "filename"), std::nullopt);
  EXPECT_EQ(parameter("", "filename"), std::nullopt);
}

TEST(ParameterReading, FollowsRfc2231) {
  EXPECT_EQ(parameter("attachment; filename*=utf-8'de'J%C3%B6rg.txt", "filename"), "J\u00F6rg.txt");
  EXPECT_EQ(
      parameter("attachment; filename*0*=utf-8''J%C3; filename*1*=%B6rg; filename*2=\".txt\"", "filename"),
      "J\u00F6rg.txt");
  EXPECT_EQ(parameter("attachment; filename*1=b; filename*0=a; filename*2=c", "filename"), "abc");
  EXPECT_EQ(parameter("attachment; filename=plain.txt; filename*=iso-8859-1''J%F6rg.txt", "filename"),
            "J\u00F6rg.txt");
  EXPECT_EQ(parameter("attachment; filename*0=a; filename*2=lost", "filename"), "a");
  EXPECT_EQ(parameter("attachment; filename*9999999999999999999=a; filename=b", "filename"), "b");
}

TEST(ParameterReading, DecodesEncodedWordsThatDoNotBelongThere) {
  EXPECT_EQ(parameter("attachment; filename=\"=?utf-8?B?SsO2cmc=?=.txt\"", "filename"), "J\u00F6rg.txt");
  EXPECT_EQ(parameter("attachment; filename==?utf-8?Q?J=C3=B6rg?=", "filename"), "J\u00F6rg");
  EXPECT_EQ(parameter("attachment; filename=\"J\xF6rg.txt\"", "filename"), "J\u00F6rg.txt");
}

TEST(ParameterReading, KeepsNamesAsDataWithoutControls) {
  EXPECT_EQ(parameter("attachment; filename=\"../../etc/pass\twd\"", "filename"), "../../etc/pass wd");
  EXPECT_EQ(parameter("attachment; filename*=utf-8''a%00%0D%0Ab", "filename"), "a   b");
}

TEST(MessageIdReading, FindsTheIds) {
  EXPECT_EQ(read_message_id(" <a@b> ").id, "<a@b>");
  EXPECT_TRUE(read_message_id("<a@b>").is_clean);
  EXPECT_EQ(read_message_id("junk <a@b> more").id, "<a@b>");
  EXPECT_FALSE(read_message_id("junk <a@b> more").is_clean);
  EXPECT_EQ(read_message_id("a@b").id, "a@b");
  EXPECT_EQ(read_message_id("").id, std::nullopt);
  EXPECT_EQ(read_message_id("<a @b>").id, "<a@b>");
  EXPECT_THAT(read_message_ids("<a@b>\t<c@d><a@b> (x) <e@f"), ElementsAre("<a@b>", "<c@d>"));
  EXPECT_THAT(read_message_ids("Your message of Monday"), IsEmpty());
  EXPECT_THAT(read_message_ids("a@b"), ElementsAre("a@b"));
  EXPECT_EQ(read_message_ids([] {
              std::string many;
              for (int i = 0; i < 3'000; ++i) many += "<" + std::to_string(i) + "@x>";
              return many;
            }())
                .size(),
            1'000U);
}

}  // namespace
}  // namespace syncline::mime
