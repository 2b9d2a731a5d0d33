// SPDX-License-Identifier: GPL-3.0-or-later
// What servers and others send against the rules: each costs itself, and nothing more (a-11, R-04).
#include <gtest/gtest.h>

#include <random>

#include "requests.hpp"
#include "soap.hpp"

namespace syncline::ews {
namespace {

using codec::decode;
using test::envelope;
using test::reply;

Result<GetItemResponse> items(const std::string& elements) {
  return decode<GetItemRequest>(reply("GetItem", "<m:Items>" + elements + "</m:Items>"));
}

TEST(Robustness, UnknownItemKindsStayInTheirPlaceWithIdAndClass) {
  const auto read = items(R"(<t:Message><t:ItemId Id="1"/></t:Message>
    <t:Hologram a="1"><t:Deep><t:ItemId Id="not this"/></t:Deep><t:ItemId Id="2&amp;" ChangeKey="k"/>
      <t:ItemClass>IPM.Holo&#x1F600;</t:ItemClass></t:Hologram>
    <x:Message xmlns:x="urn:other">text</x:Message><t:Empty/>
    <t:Task><t:ItemId Id="3"/></t:Task>)");
  ASSERT_TRUE(read) << read.error().describe();
  const auto& found = read->messages[0].value;
  // What has neither a name we know nor an id is nobody's item.
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].kind, ItemKind::message);
  EXPECT_EQ(found[1].kind, ItemKind::opaque);
  EXPECT_EQ(found[1].element_name, "Hologram");
  EXPECT_EQ(found[1].item_id, (ItemId{"2&", "k"}));
  EXPECT_EQ(found[1].item_class, "IPM.Holo\xf0\x9f\x98\x80");
  EXPECT_EQ(found[2].item_id->id, "3");
  EXPECT_EQ(read->defects.size(), 3u);
}

struct BadValue {
  const char* element;
  const char* text;
};

TEST(Robustness, ABadValueCostsOnlyItself) {
  for (const auto& [element, text] : {
           BadValue{"Size", ""},
           BadValue{"Size", "99999999999999999999"},
           BadValue{"Size", "many"},
           BadValue{"DateTimeReceived", ""},
           BadValue{"DateTimeReceived", "yesterday"},
           BadValue{"DateTimeReceived", "2024-13-45T99:99:99Z"},
           BadValue{"Importance", "Enormous"},
           BadValue{"Sensitivity", ""},
           BadValue{"IsDraft", "perhaps"},
           BadValue{"IsDraft", ""},
           BadValue{"MimeContent", "*** not base64 ***"},
           BadValue{"MimeContent", "YQ"},
           BadValue{"InstanceKey", "%%%"},
           BadValue{"ReminderMinutesBeforeStart", "-"},
           BadValue{"Attachments", "text"},
           BadValue{"Body", ""},
           BadValue{"ResponseObjects", "x"},
           BadValue{"Flag", ""},
           BadValue{"Categories", ""},
           BadValue{"ExtendedProperty", ""},
       }) {
    const std::string bad = std::string("<t:") + element + ">" + text + "</t:" + element + ">";
    const auto read =
        items(R"(<t:Message><t:ItemId Id="1"/>)" + bad +
              R"(<t:Subject>kept</t:Subject></t:Message><t:Message><t:ItemId Id="2"/></t:Message>)");
    SCOPED_TRACE(bad);
    ASSERT_TRUE(read) << read.error().describe();
    const auto& found = read->messages[0].value;
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0].subject, "kept");
    EXPECT_EQ(found[1].item_id->id, "2");
  }
  EXPECT_EQ(items("<t:Message><t:Importance>Enormous</t:Importance></t:Message>")
                ->messages[0]
                .value[0]
                .importance->text(),
            "Enormous");
  EXPECT_EQ(items("<t:Message><t:DateTimeReceived>soon</t:DateTimeReceived></t:Message>")
                ->messages[0]
                .value[0]
                .date_time_received->text(),
            "soon");
}

TEST(Robustness, OrderForeignElementsAndRepetitionsDoNotMatter) {
  const auto read = items(R"(<t:Message xmlns:v="urn:vendor"><v:Extra><v:Subject>no</v:Subject></v:Extra>
    <v:Subject>no</v:Subject><t:IsRead v:note="1" new="2">true</t:IsRead><t:Unheard><t:Subject>no</t:Subject></t:Unheard>
    <t:Subject>yes</t:Subject><t:ItemId ChangeKey="k" Id="1"/><t:MimeContent CharacterSet="UTF-8">YQ==</t:MimeContent>
    </t:Message>)");
  ASSERT_TRUE(read) << read.error().describe();
  const auto& item = read->messages[0].value.at(0);
  EXPECT_EQ(item.subject, "yes");
  EXPECT_EQ(item.item_id->id, "1");
  EXPECT_EQ(item.message->is_read, true);
  EXPECT_EQ(item.mime_content->octets, "a");
}

TEST(Robustness, OtherPrefixesSoap12ByteOrderMarkAndBareBodiesAreRead) {
  const std::string bare =
      R"(<GetItemResponse xmlns="http://schemas.microsoft.com/exchange/services/2006/messages"><ResponseMessages>)"
      R"(<GetItemResponseMessage ResponseClass="Success"><ResponseCode>NoError</ResponseCode><Items>)"
      R"(<Message xmlns="http://schemas.microsoft.com/exchange/services/2006/types"><ItemId Id="1"/></Message>)"
      R"(</Items></GetItemResponseMessage></ResponseMessages></GetItemResponse>)";
  const std::string soap12 = R"(<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Header>)"
                             R"(<x:Must xmlns:x="urn:x" e:mustUnderstand="1"/></e:Header><e:Body>)" +
                             bare + "</e:Body></e:Envelope>";
  for (const auto& xml :
       {bare, soap12, "\xef\xbb\xbf" + soap12, "<?xml version=\"1.0\"?><!-- c --><?pi x?>\r\n" + soap12,
        R"(<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body>)" + bare +
            "</Body></Envelope>"}) {
    const auto read = decode<GetItemRequest>(xml);
    ASSERT_TRUE(read) << xml.substr(0, 60) << read.error().describe();
    EXPECT_EQ(read->messages.at(0).value.at(0).item_id->id, "1");
  }
}

TEST(Robustness, ASoap12FaultIsRead) {
  const auto fault = codec::decode_fault(
      R"(<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body><e:Fault><e:Code><e:Value>e:Sender</e:Value>)"
      R"(</e:Code><e:Reason><e:Text xml:lang="en">Wrong.</e:Text></e:Reason></e:Fault></e:Body></e:Envelope>)");
  ASSERT_TRUE(fault && *fault) << (fault ? "no fault" : fault.error().describe());
  EXPECT_EQ((*fault)->code, "Sender");
  EXPECT_EQ((*fault)->message, "Wrong.");
}

std::string code_of(const std::string& xml) {
  const auto read = decode<GetItemRequest>(xml);
  return read ? "read" : read.error().code;
}

TEST(Robustness, WhatIsNoReplyIsSaidToBeNone) {
  EXPECT_EQ(code_of(""), "not-soap");
  EXPECT_EQ(code_of("Service Unavailable"), "not-soap");
  EXPECT_EQ(code_of("<!DOCTYPE html><html><body>Log in</body></html>"), "not-soap");
  EXPECT_EQ(code_of("<HTML></HTML>"), "not-soap");
  EXPECT_EQ(code_of(R"({"error":"x"})"), "not-soap");
  EXPECT_EQ(code_of(envelope("")), "wrong-operation");
  EXPECT_EQ(code_of(reply("FindItem", "")), "wrong-operation");
  EXPECT_EQ(code_of("<other/>"), "wrong-operation");
  EXPECT_EQ(code_of(envelope("<m:GetItemResponse><m:ResponseMessages/></m:GetItemResponse>")),
            "no-response-messages");
  // The right names in wrong namespaces are nothing.
  EXPECT_EQ(
      code_of(envelope(R"(<z:GetItemResponse xmlns:z="urn:z"><z:ResponseMessages/></z:GetItemResponse>)")),
      "wrong-operation");
  EXPECT_EQ(code_of(envelope("<m:GetItemResponse><t:ResponseMessages/></m:GetItemResponse>")),
            "no-response-messages");
}

TEST(Robustness, ATruncatedReplyIsAnErrorAtEveryOctet) {
  const auto whole =
      reply("GetItem", R"(<m:Items><t:Message><t:MimeContent>YWJj</t:MimeContent><t:ItemId Id="1"/>
    <t:Subject>a &amp; b</t:Subject></t:Message><t:Odd><t:ItemId Id="2"/></t:Odd></m:Items>)");
  ASSERT_EQ(code_of(whole), "read");
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const auto code = code_of(whole.substr(0, length));
    EXPECT_NE(code, "read") << length << " of " << whole.size();
  }
  const auto fault = envelope(R"(<s:Fault><faultcode>s:x</faultcode><faultstring>y</faultstring><detail>
    <t:MessageXml><t:Value Name="BackOffMilliseconds">1</t:Value></t:MessageXml></detail></s:Fault>)");
  for (std::size_t length = 0; length < fault.size(); ++length) {
    const auto read = decode<GetItemRequest>(fault.substr(0, length));
    EXPECT_FALSE(read);
  }
}

TEST(Robustness, RandomUnknownElementsAtEveryLevelChangeNothing) {
  const auto whole =
      reply("GetItem", R"(<m:Items><t:Message><t:ItemId Id="1"/><t:Subject>s</t:Subject><t:ToRecipients>)"
                       R"(<t:Mailbox><t:EmailAddress>a@b</t:EmailAddress></t:Mailbox></t:ToRecipients>)"
                       R"(</t:Message></m:Items>)");
  // Between tags, from the message on: before that stand the parts that are fixed by SOAP.
  std::vector<std::size_t> places;
  for (auto at = whole.find("<m:ResponseCode>"); at != std::string::npos; at = whole.find('<', at + 1))
    if (at > 0 && whole[at - 1] == '>') places.push_back(at);
  std::mt19937 random(4711);
  for (int round = 0; round < 300; ++round) {
    const auto place = places[random() % places.size()];
    if (place >= whole.find("</m:GetItemResponseMessage>") + 1) continue;
    std::string extra = "<t:U" + std::to_string(random() % 1000) + " a='1'>";
    for (unsigned depth = random() % 5; depth > 0; --depth) extra += "<q:V xmlns:q='urn:q'>x</q:V>";
    extra += extra.substr(1, extra.find(' ') - 1).insert(0, "</") + ">";
    auto text = whole;
    text.insert(place, extra);
    const auto read = decode<GetItemRequest>(text);
    ASSERT_TRUE(read) << text << read.error().describe();
    ASSERT_EQ(read->messages.size(), 1u) << text;
    const auto& found = read->messages[0].value;
    std::size_t known = 0;
    for (const auto& item : found) {
      if (item.kind == ItemKind::opaque) continue;
      ++known;
      EXPECT_EQ(item.subject, "s");
      EXPECT_EQ(item.message->to_recipients.at(0).address, "a@b");
    }
    EXPECT_EQ(known, 1u) << text;
  }
}

TEST(Robustness, NestingBeyondReasonIsAnErrorNotACrash) {
  std::string deep;
  for (int i = 0; i < 20'000; ++i) deep += "<t:Message>";
  EXPECT_NE(code_of(reply("GetItem", "<m:Items>" + deep)), "read");
  std::string attachments;
  for (int i = 0; i < 5'000; ++i) attachments += "<t:Message><t:Attachments><t:ItemAttachment>";
  EXPECT_NE(code_of(reply("GetItem", "<m:Items>" + attachments)), "read");
}

TEST(Robustness, R23_AttachedItemsAreReadTwentyDeep) {
  constexpr int depth = 20;
  std::string inner = "<t:Message><t:Subject>innermost</t:Subject></t:Message>";
  for (int i = 0; i < depth; ++i)
    inner = "<t:Message><t:Attachments><t:ItemAttachment><t:Name> ../" + std::to_string(i) + " </t:Name>" +
            inner + "</t:ItemAttachment></t:Attachments></t:Message>";
  const auto read = items(inner);
  ASSERT_TRUE(read) << read.error().describe();
  const Item* item = &read->messages.at(0).value.at(0);
  for (int i = depth - 1; i >= 0; --i) {
    ASSERT_EQ(item->attachments.size(), 1u) << i;
    const Attachment& attachment = item->attachments[0];
    EXPECT_EQ(attachment.name, " ../" + std::to_string(i) + " ") << "a name is data";
    item = &*std::get<ItemContent>(attachment.content).item;
  }
  EXPECT_EQ(item->subject, "innermost");
}

TEST(Robustness, RandomDamageNeverCrashes) {
  const auto whole =
      reply("GetItem", R"(<m:Items><t:CalendarItem><t:MimeContent>YWJj</t:MimeContent><t:ItemId Id="1"/>
    <t:Start>2026-01-01T00:00:00Z</t:Start><t:Recurrence><t:WeeklyRecurrence><t:Interval>1</t:Interval>
    <t:DaysOfWeek>Monday Friday</t:DaysOfWeek></t:WeeklyRecurrence><t:NoEndRecurrence><t:StartDate>2026-01-01</t:StartDate>
    </t:NoEndRecurrence></t:Recurrence></t:CalendarItem><t:Odd><t:ItemId Id="2"/></t:Odd></m:Items>)");
  std::mt19937 random(42);
  for (int round = 0; round < 3000; ++round) {
    auto text = whole;
    for (unsigned changes = 1 + random() % 4; changes > 0; --changes) {
      const auto at = random() % text.size();
      switch (random() % 3) {
        case 0:
          text[at] = static_cast<char>(random());
          break;
        case 1:
          text.erase(at, random() % 20);
          break;
        default:
          text.insert(at, text.substr(random() % text.size(), random() % 40));
          break;
      }
    }
    (void)decode<GetItemRequest>(text);
  }
}

}  // namespace
}  // namespace syncline::ews
