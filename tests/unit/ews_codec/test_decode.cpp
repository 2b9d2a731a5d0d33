// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include "requests.hpp"
#include "soap.hpp"

namespace syncline::ews {
namespace {

using codec::decode;
using test::envelope;
using test::reply;

/// What CreateItem would send, read back as a GetItem reply: the Items of both are the same elements.
std::vector<Item> round_trip(const std::vector<Item>& items) {
  CreateItemRequest request;
  for (const auto& item : items) request.items.emplace_back(item);
  auto xml = codec::encode(request, {});
  if (!xml) throw std::runtime_error(xml.error().describe());
  const auto from = xml->find("<ewst:", xml->find("<ewsm:Items>"));
  const auto to = xml->find("</ewsm:Items>");
  const auto names =
      std::string(R"( xmlns:ewst="http://schemas.microsoft.com/exchange/services/2006/types")");
  auto read = decode<GetItemRequest>(
      reply("GetItem", "<m:Items" + names + ">" + xml->substr(from, to - from) + "</m:Items>"));
  if (!read) throw std::runtime_error(read.error().describe());
  return read->messages.at(0).value;
}

TEST(Decode, WhatIsWrittenIsReadBackTheSame) {
  std::vector<Item> items;
  for (const auto& pattern : test::appointment_patterns())
    for (const auto& range : test::ranges()) items.push_back(test::appointment(pattern, range));
  for (const auto& pattern : test::task_patterns())
    for (const auto& range : test::ranges()) items.push_back(test::task(pattern, range));
  items.push_back(test::contact());
  items.push_back(test::distribution_list());
  auto message = test::full_message();
  message.subject =
      "Gr\xc3\xbc\xc3\x9f"
      "e <&> \"'\r\n\t \xf0\x9f\x98\x80";
  Attachment nested{.name = "inner"};
  nested.content = ItemContent{test::task(DailyPattern{1}, NoEndRange{Date::of(2026, 2, 28)})};
  Attachment file{.name = "a/../b", .is_inline = true};
  file.content = FileContent{.content = std::string("\0\xff\x80", 3)};
  Attachment link{.name = "l"};
  link.content = ReferenceContent{.path = "https://example.com/", .permission_type = 1};
  message.attachments = {nested, file, link};
  items.push_back(message);
  const auto read = round_trip(items);
  ASSERT_EQ(read.size(), items.size());
  for (std::size_t i = 0; i < items.size(); ++i) EXPECT_TRUE(read[i] == items[i]) << "item " << i;
}

TEST(Decode, EachMessageHasItsOwnOutcomeInTheOrderAsked) {
  const auto read = decode<GetItemRequest>(envelope(R"(<m:GetItemResponse><m:ResponseMessages>
    <m:GetItemResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode>
      <m:Items><t:Message><t:ItemId Id="a" ChangeKey="k"/></t:Message></m:Items></m:GetItemResponseMessage>
    <m:GetItemResponseMessage ResponseClass="Error"><m:MessageText>Gone.</m:MessageText>
      <m:ResponseCode>ErrorItemNotFound</m:ResponseCode><m:DescriptiveLinkKey>0</m:DescriptiveLinkKey>
      <m:Items/></m:GetItemResponseMessage>
    <m:GetItemResponseMessage ResponseClass="Warning"><m:ResponseCode>ErrorBatchProcessingStopped</m:ResponseCode>
      <m:Items/></m:GetItemResponseMessage>
    <m:GetItemResponseMessage ResponseClass="Error"><m:ResponseCode>ErrorServerBusy</m:ResponseCode>
      <m:MessageXml><t:Value Name="BackOffMilliseconds">4500</t:Value></m:MessageXml>
      <m:Items/></m:GetItemResponseMessage>
    </m:ResponseMessages></m:GetItemResponse>)"));
  ASSERT_TRUE(read);
  ASSERT_TRUE(read->server);
  EXPECT_EQ(read->server->major, 15);
  EXPECT_EQ(read->server->minor_build, 5);
  EXPECT_EQ(read->server->version, "V2017_07_11");
  ASSERT_TRUE(read->expect(4));
  EXPECT_FALSE(read->expect(5));
  EXPECT_TRUE(read->messages[0].ok());
  EXPECT_EQ(read->messages[0].value.at(0).item_id->change_key, "k");
  EXPECT_FALSE(read->messages[1].ok());
  EXPECT_EQ(to_error(read->messages[1]).code, "ErrorItemNotFound");
  EXPECT_EQ(to_error(read->messages[1]).message, "Gone.");
  EXPECT_FALSE(read->messages[2].ok()) << "nothing was done for it";
  EXPECT_EQ(to_error(read->messages[2]).retry, RetryClass::after);
  EXPECT_EQ(to_error(read->messages[3]).retry_after, std::chrono::milliseconds(4500));
}

TEST(Decode, AFaultIsAnErrorWithTheServersHint) {
  const auto read = decode<GetItemRequest>(envelope(R"(<s:Fault>
    <faultcode xmlns:a="http://schemas.microsoft.com/exchange/services/2006/types">a:ErrorServerBusy</faultcode>
    <faultstring xml:lang="en-US">Busy now.</faultstring><detail>
    <e:ResponseCode xmlns:e="http://schemas.microsoft.com/exchange/services/2006/errors">ErrorServerBusy</e:ResponseCode>
    <e:Message xmlns:e="http://schemas.microsoft.com/exchange/services/2006/errors">Try later.</e:Message>
    <t:MessageXml><t:Value Name="BackOffMilliseconds">297749</t:Value></t:MessageXml></detail></s:Fault>)"));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().domain, ErrorDomain::ews);
  EXPECT_EQ(read.error().code, "ErrorServerBusy");
  EXPECT_EQ(read.error().message, "Try later.");
  EXPECT_EQ(read.error().retry, RetryClass::after);
  EXPECT_EQ(read.error().retry_after, std::chrono::milliseconds(297749));
}

TEST(Decode, AFaultWithoutDetailHasTheCodeAndTextOfItsHead) {
  const auto fault = codec::decode_fault(envelope(
      "<s:Fault><faultcode>s:Client</faultcode><faultstring>No &lt;way&gt;</faultstring></s:Fault>"));
  ASSERT_TRUE(fault && *fault);
  EXPECT_EQ((*fault)->code, "Client");
  EXPECT_EQ((*fault)->message, "No <way>");
  EXPECT_EQ(to_error(**fault).domain, ErrorDomain::soap);
  EXPECT_EQ((*fault)->server->major, 15);
  const auto none = codec::decode_fault(reply("GetItem", "<m:Items/>"));
  ASSERT_TRUE(none);
  EXPECT_FALSE(*none);
}

TEST(Decode, AnInnerBusyCountsAsBusy) {
  const auto read = decode<GetItemRequest>(envelope(R"(<m:GetItemResponse><m:ResponseMessages>
    <m:GetItemResponseMessage ResponseClass="Error"><m:ResponseCode>ErrorInternalServerError</m:ResponseCode>
    <m:MessageXml><t:Value Name="InnerErrorResponseCode">ErrorServerBusy</t:Value>
    <t:Value Name="BackOffMilliseconds">1000</t:Value></m:MessageXml>
    </m:GetItemResponseMessage></m:ResponseMessages></m:GetItemResponse>)"));
  ASSERT_TRUE(read);
  const auto error = to_error(read->messages[0]);
  EXPECT_EQ(error.code, "ErrorServerBusy");
  EXPECT_EQ(error.retry_after, std::chrono::milliseconds(1000));
}

TEST(Decode, ReadFlagChangesKeepTheirValueOverAThousandItems) {
  std::string changes;
  for (int i = 0; i < 1000; ++i)
    changes += "<t:ReadFlagChange><t:ItemId Id=\"i" + std::to_string(i) + "\" ChangeKey=\"k\"/><t:IsRead>" +
               (i % 2 ? "true" : "false") + "</t:IsRead></t:ReadFlagChange>";
  const auto read = decode<SyncFolderItemsRequest>(
      reply("SyncFolderItems",
            "<m:SyncState>S</m:SyncState><m:IncludesLastItemInRange>false</m:IncludesLastItemInRange>"
            "<m:Changes>" +
                changes + "</m:Changes>"));
  ASSERT_TRUE(read);
  const auto& feed = read->messages[0].value;
  EXPECT_EQ(feed.sync_state, "S");
  EXPECT_EQ(feed.includes_last_item_in_range, false);
  ASSERT_EQ(feed.changes.size(), 1000u);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(feed.changes[i].kind, ChangeKind::read_flag);
    EXPECT_EQ(feed.changes[i].item_id.id, "i" + std::to_string(i));
    EXPECT_EQ(feed.changes[i].is_read, i % 2 == 1);
  }
}

TEST(Decode, ChangesKeepTheirOrderAndKinds) {
  const auto read = decode<SyncFolderItemsRequest>(reply(
      "SyncFolderItems",
      R"(<m:SyncState>S</m:SyncState><m:Changes><t:Create><t:Message><t:ItemId Id="1"/></t:Message></t:Create>
      <t:Delete><t:ItemId Id="2"/></t:Delete><t:Update><t:Task><t:ItemId Id="3"/></t:Task></t:Update>
      <t:Create><t:Whatever><t:ItemId Id="4" ChangeKey="k4"/><t:ItemClass>IPM.What</t:ItemClass></t:Whatever></t:Create>
      </m:Changes>)"));
  ASSERT_TRUE(read);
  const auto& changes = read->messages[0].value.changes;
  ASSERT_EQ(changes.size(), 4u);
  EXPECT_EQ(changes[0].item_kind, ItemKind::message);
  EXPECT_EQ(changes[1].kind, ChangeKind::delete_);
  EXPECT_EQ(changes[2].kind, ChangeKind::update);
  EXPECT_EQ(changes[2].item_kind, ItemKind::task);
  EXPECT_EQ(changes[3].item_kind, ItemKind::opaque);
  EXPECT_EQ(changes[3].item_id, (ItemId{"4", "k4"}));
  EXPECT_EQ(changes[3].item->item_class, "IPM.What");
}

TEST(Decode, AFeedOfIdsIsReadTheSameWithAndWithoutTheBindings) {
  const auto feed = [](const std::string& extra) {
    return reply(
        "SyncFolderItems",
        R"(<m:SyncState>H4s&amp;=</m:SyncState><m:IncludesLastItemInRange>true</m:IncludesLastItemInRange><m:Changes>
    <t:Create><t:Message><t:ItemId Id="1&amp;" ChangeKey="k1"/></t:Message></t:Create>
    <t:Update><t:CalendarItem><t:ItemId Id="2" ChangeKey="k2"/></t:CalendarItem></t:Update>
    <t:Delete><t:ItemId Id="3" ChangeKey="k3"/></t:Delete>
    <t:ReadFlagChange><t:ItemId Id="4" ChangeKey="k4"/><t:IsRead> 1 </t:IsRead></t:ReadFlagChange>
    <t:Create><t:PostItem><t:ItemId Id="5"/>)" +
            extra + "</t:PostItem></t:Create></m:Changes>");
  };
  // A subject more, and it is no feed of ids: the bindings read it.
  const auto quick = decode<SyncFolderItemsRequest>(feed(""));
  const auto whole = decode<SyncFolderItemsRequest>(feed("<t:Subject>s</t:Subject>"));
  ASSERT_TRUE(quick && whole);
  EXPECT_EQ(quick->server, whole->server);
  ASSERT_EQ(quick->messages.size(), whole->messages.size());
  const auto& a = quick->messages[0];
  const auto& b = whole->messages[0];
  EXPECT_FALSE(a.value.changes[0].item) << "not the quick way";
  EXPECT_TRUE(b.value.changes[0].item) << "not the bindings";
  EXPECT_EQ(a.code, b.code);
  EXPECT_TRUE(a.ok() && b.ok());
  EXPECT_EQ(a.value.sync_state, b.value.sync_state);
  EXPECT_EQ(a.value.includes_last_item_in_range, b.value.includes_last_item_in_range);
  ASSERT_EQ(a.value.changes.size(), b.value.changes.size());
  for (std::size_t i = 0; i < a.value.changes.size(); ++i) {
    EXPECT_EQ(a.value.changes[i].kind, b.value.changes[i].kind) << i;
    EXPECT_EQ(a.value.changes[i].item_kind, b.value.changes[i].item_kind) << i;
    EXPECT_EQ(a.value.changes[i].item_id, b.value.changes[i].item_id) << i;
    EXPECT_EQ(a.value.changes[i].is_read, b.value.changes[i].is_read) << i;
  }
}

TEST(Decode, AFailedSyncIsReadByTheBindings) {
  const auto read = decode<SyncFolderItemsRequest>(envelope(
      R"(<m:SyncFolderItemsResponse><m:ResponseMessages><m:SyncFolderItemsResponseMessage ResponseClass="Error">)"
      R"(<m:MessageText>No.</m:MessageText><m:ResponseCode>ErrorInvalidSyncStateData</m:ResponseCode><m:SyncState/>)"
      R"(</m:SyncFolderItemsResponseMessage></m:ResponseMessages></m:SyncFolderItemsResponse>)"));
  ASSERT_TRUE(read);
  EXPECT_EQ(to_error(read->messages.at(0)).retry, RetryClass::resync);
  const auto cut = decode<SyncFolderItemsRequest>(reply("SyncFolderItems", "<m:Changes/>").substr(0, 700));
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code, "truncated");
}

TEST(Decode, EventsInEitherNamespaceAndErrorSubscriptionsAreRead) {
  const auto read = decode<GetStreamingEventsRequest>(reply("GetStreamingEvents", R"(<m:Notifications>
    <m:Notification><t:SubscriptionId>s1</t:SubscriptionId><t:NewMailEvent><t:TimeStamp>2026-01-01T00:00:00Z</t:TimeStamp>
      <t:ItemId Id="i" ChangeKey="k"/><t:ParentFolderId Id="f"/></t:NewMailEvent></m:Notification>
    <t:Notification><t:SubscriptionId>s2</t:SubscriptionId>
      <t:MovedEvent><t:Watermark>w</t:Watermark><t:TimeStamp>bad</t:TimeStamp><t:FolderId Id="f2"/>
        <t:ParentFolderId Id="p2"/><t:OldFolderId Id="f1"/><t:OldParentFolderId Id="p1"/></t:MovedEvent>
      <t:SurpriseEvent/><t:StatusEvent/></t:Notification></m:Notifications>
    <m:ErrorSubscriptionIds><m:SubscriptionId>e1</m:SubscriptionId><t:SubscriptionId>e2</t:SubscriptionId></m:ErrorSubscriptionIds>
    <m:ConnectionStatus>OK</m:ConnectionStatus>)"));
  ASSERT_TRUE(read);
  const auto& events = read->messages[0].value;
  ASSERT_EQ(events.notifications.size(), 2u);
  EXPECT_EQ(events.notifications[0].events.at(0).kind, EventKind::new_mail_event);
  const auto& second = events.notifications[1].events;
  ASSERT_EQ(second.size(), 3u);
  EXPECT_EQ(second[0].folder_id->id, "f2");
  EXPECT_EQ(second[0].old_folder_id->id, "f1");
  EXPECT_EQ(second[0].old_parent_folder_id->id, "p1");
  EXPECT_FALSE(second[0].time_stamp->valid());
  EXPECT_EQ(second[1].kind.text(), "SurpriseEvent");
  EXPECT_EQ(second[2].kind, EventKind::status_event);
  EXPECT_EQ(events.error_subscription_ids, (std::vector<std::string>{"e1", "e2"}));
  EXPECT_EQ(events.connection_status, ConnectionStatus::ok);
}

TEST(Decode, AConvertedIdIsReadWhateverItsTypeIsCalled) {
  for (const std::string type : {"", R"( xsi:type="t:AlternateIdType")", R"( xsi:type="t:NeverHeardOf")"}) {
    const auto read = decode<ConvertIdRequest>(
        reply("ConvertId", R"(<m:AlternateId xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance")" + type +
                               R"( Format="EwsId" Id="AAMk" Mailbox="o@example.com"/>)"));
    ASSERT_TRUE(read) << type;
    ASSERT_TRUE(read->messages[0].value) << type;
    EXPECT_EQ(read->messages[0].value->id, "AAMk");
    EXPECT_EQ(read->messages[0].value->format, IdFormat::ews_id);
  }
}

TEST(Decode, AZoneWithEmptyPeriodsIsItsName) {
  const auto read = decode<GetItemRequest>(reply("GetItem", R"(<m:Items><t:CalendarItem>
    <t:StartTimeZone Id="W. Europe Standard Time" Name="Berlin"><t:Periods/></t:StartTimeZone>
    <t:EndTimeZone Id="tzone://Microsoft/Custom"/></t:CalendarItem></m:Items>)"));
  ASSERT_TRUE(read);
  const auto& calendar = *read->messages[0].value.at(0).calendar;
  EXPECT_EQ(calendar.start_time_zone->id, "W. Europe Standard Time");
  EXPECT_TRUE(calendar.start_time_zone->periods.empty());
  EXPECT_EQ(calendar.end_time_zone->id, "tzone://Microsoft/Custom");
}

}  // namespace
}  // namespace syncline::ews
