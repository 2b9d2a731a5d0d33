// SPDX-License-Identifier: GPL-3.0-or-later
// Messages are read the same with and without the bindings, or by the bindings alone.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <sstream>

#include "ews/codec/codec.hpp"
#include "ews/codec/detail/message_items.hpp"
#include "ews/xml/scanner.hpp"
#include "tests/unit/ews_codec/soap.hpp"

namespace syncline::ews::codec {
namespace {

using test::envelope;

/// As the client has it: what comes from the wire has passed the scanner, which writes characters out that
/// gSOAP would misread as references. Empty: the scanner refuses it.
std::string scanned(const std::string& xml) {
  xml::Scanner scanner;
  std::string clean;
  return scanner.feed(xml, clean) && scanner.finish(clean) ? clean : std::string();
}

/// true: the quick reader took it. It must then have read what the bindings read.
bool read_quickly_and_the_same(const std::string& as_sent) {
  const std::string xml = scanned(as_sent);
  const auto quick = read_message_items(xml);
  const auto whole = decode_get_item_by_bindings(xml);
  if (!quick) return false;
  EXPECT_TRUE(whole) << whole.error().describe() << "\n" << xml;
  if (!whole) return true;
  EXPECT_EQ(quick->server, whole->server) << xml;
  EXPECT_EQ(whole->defects, quick->defects) << xml;
  EXPECT_EQ(quick->messages.size(), whole->messages.size()) << xml;
  if (quick->messages.size() != whole->messages.size()) return true;
  for (std::size_t i = 0; i < quick->messages.size(); ++i) {
    const auto& a = quick->messages[i];
    const auto& b = whole->messages[i];
    EXPECT_EQ(a.response_class, b.response_class) << xml;
    EXPECT_EQ(a.code, b.code) << xml;
    EXPECT_EQ(a.text, b.text) << xml;
    EXPECT_EQ(a.message_xml, b.message_xml) << xml;
    EXPECT_EQ(a.descriptive_link_key, b.descriptive_link_key) << xml;
    EXPECT_TRUE(a.value == b.value) << i << ": the items differ\n" << xml;
  }
  return true;
}

std::string of_messages(const std::string& messages) {
  return envelope("<m:GetItemResponse><m:ResponseMessages>" + messages +
                  "</m:ResponseMessages></m:GetItemResponse>");
}
std::string of_items(const std::string& items) {
  return of_messages(
      R"(<m:GetItemResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode><m:Items>)" +
      items + "</m:Items></m:GetItemResponseMessage>");
}
std::string message(const std::string& properties) {
  return of_items("<t:Message>" + properties + "</t:Message>");
}

/// Properties that the quick reader knows, with values of every kind.
class Properties {
 public:
  explicit Properties(unsigned seed) : random_(seed) {}

  std::string some() {
    std::vector<std::function<std::string()>> makers;
    for (const char* name : {"ItemId", "ParentFolderId", "ConversationId"})
      makers.emplace_back([this, name] { return id(name); });
    for (const char* name : {"ItemClass",
                             "Subject",
                             "Sensitivity",
                             "DateTimeReceived",
                             "Size",
                             "Importance",
                             "InReplyTo",
                             "IsSubmitted",
                             "IsDraft",
                             "IsFromMe",
                             "IsResend",
                             "IsUnmodified",
                             "DateTimeSent",
                             "DateTimeCreated",
                             "DisplayCc",
                             "DisplayTo",
                             "HasAttachments",
                             "Culture",
                             "LastModifiedName",
                             "LastModifiedTime",
                             "IsAssociated",
                             "InstanceKey",
                             "Preview",
                             "IsReadReceiptRequested",
                             "IsDeliveryReceiptRequested",
                             "ConversationIndex",
                             "ConversationTopic",
                             "InternetMessageId",
                             "IsRead",
                             "IsResponseRequested",
                             "References"})
      makers.emplace_back([this, name] { return leaf(name); });
    for (const char* name : {"Sender", "From", "ReceivedBy", "ReceivedRepresenting"})
      makers.emplace_back([this, name] { return in(name, chance(8) ? "" : person()); });
    for (const char* name : {"ToRecipients", "CcRecipients", "BccRecipients", "ReplyTo"})
      makers.emplace_back([this, name] {
        std::string people;
        for (unsigned i = below(4); i > 0; --i) people += person() + space();
        return in(name, people);
      });
    makers.emplace_back([this] {
      std::string words;
      for (unsigned i = below(4); i > 0; --i) words += leaf("String");
      return in("Categories", words);
    });
    makers.emplace_back([this] {
      const std::string truncated =
          chance(3) ? R"( IsTruncated=")" + one_of({"true", "false", "1", "?"}) + '"' : "";
      return R"(<t:Body BodyType=")" + one_of({"HTML", "Text", "Other"}) + '"' + truncated + ">" + value() +
             "</t:Body>";
    });
    makers.emplace_back([this] { return extended() + space() + extended(); });
    makers.emplace_back([this] {
      std::string list;
      for (unsigned i = below(4); i > 0; --i) list += attachment() + space();
      return in("Attachments", list);
    });
    std::shuffle(makers.begin(), makers.end(), random_);
    makers.resize(below(static_cast<unsigned>(makers.size()) + 1));
    std::string text;
    for (const auto& make : makers) text += make() + space();
    return text;
  }
  unsigned below(unsigned limit) { return static_cast<unsigned>(random_() % limit); }
  bool chance(unsigned one_in) { return below(one_in) == 0; }
  std::string one_of(const std::vector<std::string>& of) {
    return of[below(static_cast<unsigned>(of.size()))];
  }
  std::string space() { return one_of({"", "", "\n", "\n  \t"}); }
  static const std::vector<std::string>& values() {
    static const std::vector<std::string> all = {"",
                                                 "plain",
                                                 " spaces around ",
                                                 "\n lines \n\t",
                                                 "a &amp; b &lt;c&gt; &quot;d&quot; &apos;e&apos;",
                                                 "&#xD;&#10;",
                                                 "&#x1F600; \xC3\xA4\xE2\x82\xAC",
                                                 "true",
                                                 " 1 ",
                                                 "FALSE",
                                                 "12",
                                                 "-7",
                                                 "1e3",
                                                 "99999999999999999999",
                                                 "2026-03-04T05:06:07Z",
                                                 "2026-03-04T05:06:07+01:00",
                                                 "2026-13-99",
                                                 "Normal",
                                                 "High",
                                                 " Low ",
                                                 "Personal",
                                                 "?",
                                                 "!",
                                                 "]]&gt;",
                                                 std::string(500, 'x')};
    return all;
  }
  std::string value() { return one_of(values()); }

 private:
  std::string in(const std::string& name, const std::string& content) {
    return "<t:" + name + ">" + space() + content + "</t:" + name + ">";
  }
  std::string leaf(const std::string& name) {
    return chance(12) ? "<t:" + name + "/>" : "<t:" + name + ">" + value() + "</t:" + name + ">";
  }
  std::string id(const std::string& name) {
    return "<t:" + name + R"( Id=")" + one_of({"AAMk+/=", "", "&amp;&#x20AC;"}) + '"' +
           (chance(3) ? "" : R"( ChangeKey="CQ==")") + (chance(2) ? "/>" : "></t:" + name + ">");
  }
  std::string person() {
    std::string text = "<t:Mailbox>" + space();
    for (const char* name : {"Name", "EmailAddress", "RoutingType", "MailboxType", "OriginalDisplayName"})
      if (!chance(3)) text += leaf(name) + space();
    return text + "</t:Mailbox>";
  }
  std::string extended() {
    const std::string path =
        one_of({R"(PropertyTag="0x300B")",
                R"(PropertySetId="c11ff724-aa03-4555-9952-8fa248a11c3e" PropertyName="Operation")",
                R"(DistinguishedPropertySetId="Common" PropertyId="34051")",
                R"(DistinguishedPropertySetId="Newer" PropertyId="x")", R"(PropertyTag="")"});
    const std::string value_text =
        chance(2) ? leaf("Value") : in("Values", leaf("Value") + space() + leaf("Value"));
    return "<t:ExtendedProperty>" + space() + "<t:ExtendedFieldURI " + path + R"( PropertyType=")" +
           one_of({"String", "Binary", "StringArray", "Newer"}) + R"("/>)" + value_text +
           "</t:ExtendedProperty>";
  }
  std::string attachment() {
    const bool file = chance(2);
    std::string text;
    if (!chance(4)) text += R"(<t:AttachmentId Id="A&amp;1"/>)";
    for (const char* name :
         {"Name", "ContentType", "ContentId", "ContentLocation", "Size", "LastModifiedTime", "IsInline"})
      if (chance(2)) text += leaf(name) + space();
    if (file && chance(2)) text += leaf("IsContactPhoto");
    return in(file ? "FileAttachment" : "ItemAttachment", text);
  }

  std::mt19937 random_;
};

TEST(MessageItems, GeneratedMessagesAreReadTheSameWithAndWithoutTheBindings) {
  Properties properties(1);
  for (int round = 0; round < 400; ++round) {
    std::string messages;
    for (unsigned i = properties.below(4) + 1; i > 0; --i) {
      const std::string kind = properties.one_of({"Message", "Message", "MeetingRequest", "MeetingResponse",
                                                  "MeetingCancellation", "MeetingMessage"});
      messages += R"(<m:GetItemResponseMessage ResponseClass="Success">)" + properties.space() +
                  "<m:ResponseCode>NoError</m:ResponseCode><m:Items>" + properties.space() + "<t:" + kind +
                  ">" + properties.some() + "</t:" + kind + "></m:Items></m:GetItemResponseMessage>" +
                  properties.space();
    }
    EXPECT_TRUE(read_quickly_and_the_same(of_messages(messages))) << messages;
    if (HasFailure()) return;
  }
}

TEST(MessageItems, EveryValueIsReadTheSameInEveryPlace) {
  std::vector<std::string> places;
  for (const char* name :
       {"Subject", "DateTimeReceived", "Size", "Importance", "IsDraft", "IsRead", "References"})
    places.push_back(std::string("<t:") + name + ">?</t:" + name + ">");
  places.emplace_back("<t:From><t:Mailbox><t:Name>?</t:Name></t:Mailbox></t:From>");
  places.emplace_back("<t:ReplyTo><t:Mailbox><t:MailboxType>?</t:MailboxType></t:Mailbox></t:ReplyTo>");
  places.emplace_back("<t:Categories><t:String>?</t:String></t:Categories>");
  places.emplace_back("<t:Body BodyType='HTML'>?</t:Body>");
  const std::string path =
      "<t:ExtendedProperty><t:ExtendedFieldURI PropertyTag='0x1' PropertyType='String'/>";
  places.push_back(path + "<t:Value>?</t:Value></t:ExtendedProperty>");
  places.push_back(path + "<t:Values><t:Value>?</t:Value><t:Value/></t:Values></t:ExtendedProperty>");
  for (const char* name : {"Name", "Size", "IsInline", "IsContactPhoto", "LastModifiedTime"})
    places.push_back(std::string("<t:Attachments><t:FileAttachment><t:") + name + ">?</t:" + name +
                     "></t:FileAttachment></t:Attachments>");
  for (const std::string& place : places) {
    for (const std::string& value : Properties::values()) {
      std::string properties = place;
      properties.replace(properties.find('?'), 1, value);
      EXPECT_TRUE(read_quickly_and_the_same(message(properties))) << properties;
    }
  }
  EXPECT_TRUE(read_quickly_and_the_same(message("<t:Subject>" + std::string(70'000, 'x') + "</t:Subject>")));
  for (const char* empty :
       {"<t:From/>", "<t:From><t:Mailbox/></t:From>", "<t:ToRecipients/>", "<t:Categories/>",
        "<t:Attachments/>", "<t:Attachments><t:FileAttachment/></t:Attachments>",
        "<t:Attachments><t:ItemAttachment/></t:Attachments>", "<t:Subject/>", "<t:Body BodyType=''/>",
        "<t:ItemId Id=''/>", "<t:ConversationId Id='1' ChangeKey=''/>"})
    EXPECT_TRUE(read_quickly_and_the_same(message(empty))) << empty;
}

TEST(MessageItems, WhatIsOutOfTheOrdinaryIsLeftToTheBindings) {
  ASSERT_TRUE(read_quickly_and_the_same(message("<t:Subject>s</t:Subject>")));
  for (const std::string& xml : {
           message("<t:Subject>s</t:Subject><t:Subject>t</t:Subject>"),
           message("<t:Subject>s<!-- c --></t:Subject>"),
           message("<t:Subject><![CDATA[s]]></t:Subject>"),
           message("<t:Subject>a\r\nb</t:Subject>"),
           message("<t:Subject><?p i?>s</t:Subject>"),
           message("<t:Subject>a<b/>c</t:Subject>"),
           message("<t:Subject xmlns:x='urn:x' x:nil='true'/>"),
           message("<t:Subject id='1'>s</t:Subject>"),
           message("<t:Newer>s</t:Newer>"),
           message("<Subject>s</Subject>"),
           message("<m:Subject>s</m:Subject>"),
           message("text<t:Subject>s</t:Subject>"),
           message("<t:ItemId/>"),
           message("<t:ItemId Id='a b'/>"),
           message("<t:Body>s</t:Body>"),
           message("<t:MimeContent>QQ==</t:MimeContent>"),
           message("<t:From><t:Mailbox/><t:Mailbox/></t:From>"),
           message("<t:ExtendedProperty><t:Value>v</t:Value></t:ExtendedProperty>"),
           message("<t:Attachments><t:FileAttachment><t:Content>QQ==</t:Content></t:FileAttachment></"
                   "t:Attachments>"),
           of_items("<t:Contact/>"),
           of_items("<t:Item/>"),
           of_items("<t:NewerKind/>"),
           of_messages(
               R"(<m:GetItemResponseMessage ResponseClass="Error"><m:MessageText>no</m:MessageText>)"
               R"(<m:ResponseCode>ErrorItemNotFound</m:ResponseCode><m:Items/></m:GetItemResponseMessage>)"),
           of_messages(
               R"(<m:GetItemResponseMessage ResponseClass="Success"><m:ResponseCode>ErrorNo</m:ResponseCode>)"
               R"(<m:Items/></m:GetItemResponseMessage>)"),
           of_messages(
               R"(<m:GetItemResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode>)"
               R"(</m:GetItemResponseMessage>)"),
           of_messages(""),
           std::string("<a"),
           std::string(),
       })
    EXPECT_FALSE(read_message_items(xml)) << xml;
}

TEST(MessageItems, ATruncatedReplyIsNeverTakenForAWholeOne) {
  const std::string xml = message("<t:Subject>s</t:Subject><t:ToRecipients><t:Mailbox/></t:ToRecipients>");
  for (std::size_t length = 0; length < xml.size(); ++length)
    EXPECT_FALSE(read_message_items(xml.substr(0, length))) << length;
}

TEST(MessageItems, DamagedRepliesAreReadAsTheBindingsReadThemOrNotAtAll) {
  Properties properties(2);
  std::mt19937 random(3);
  for (int round = 0; round < 300; ++round) {
    std::string xml = message(properties.some());
    for (unsigned i = properties.below(4) + 1; i > 0; --i) {
      const std::size_t at = random() % xml.size();
      switch (random() % 3) {
        case 0:
          xml[at] = static_cast<char>(random());
          break;
        case 1:
          xml.erase(at, random() % 30);
          break;
        default:
          xml.insert(at, xml.substr(random() % xml.size(), random() % 60));
      }
    }
    read_quickly_and_the_same(xml);
    if (HasFailure()) return;
  }
}

TEST(MessageItems, EveryReplyOfTheCorpusIsReadTheSame) {
  std::size_t read = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(SYNCLINE_SOURCE_DIR "/tests/fuzz/codec_decode/corpus")) {
    std::ifstream file(entry.path(), std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    read_quickly_and_the_same(text.str());
    ++read;
  }
  EXPECT_GT(read, 10U);
}

}  // namespace
}  // namespace syncline::ews::codec
