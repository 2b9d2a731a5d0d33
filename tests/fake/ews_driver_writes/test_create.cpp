// SPDX-License-Identifier: GPL-3.0-or-later
// Create: what stands in the record stands in the item, once.
#include "model/field_catalogue.hpp"
#include "write_bench.hpp"

namespace syncline::ews::testing {
namespace {

using model::RecordKind;

class Create : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_THAT(bench.exchange.schema_violations(), ::testing::IsEmpty()); }
  WriteBench bench;

  /// Every field that was written is read again as it was.
  void expect_round_trip(RecordKind kind, std::string_view json) {
    const std::string id = bench.made(bench.create(kind, json));
    const sync::RemoteItem item = bench.read(kind, id);
    for (const auto& [name, value] : fields(json)) {
      const model::FieldInfo* info = model::find_field(kind, name);
      ASSERT_NE(info, nullptr) << name;
      const auto* read = item.fields.if_contains(name);
      ASSERT_NE(read, nullptr) << name;
      EXPECT_TRUE(model::same_value(*info, value, *read))
          << name << ": " << value << " was read as " << *read;
    }
    EXPECT_EQ(item.operation_id, "op-1");
  }
};

TEST_F(Create, AContactHoldsAllItsFields) {
  expect_round_trip(RecordKind::contact, R"({
    "displayName":"Dr. Ada King","fileAs":"King, Ada","givenName":"Ada","middleName":"M","surname":"King",
    "initials":"AMK","title":"Dr.","generation":"Jr.","nickname":"A","phoneticGivenName":"eida",
    "phoneticSurname":"kingu","companyName":"Engines","department":"R","jobTitle":"Analyst",
    "profession":"Poet","officeLocation":"2.1","manager":"Charles","assistantName":"B","spouseName":"W",
    "children":["Byron","Anne"],"birthday":"1815-12-10","weddingAnniversary":"1835-07-08",
    "emailAddresses":{"EmailAddress1":"ada@example.org","EmailAddress3":"king@example.org"},
    "phoneNumbers":{"BusinessPhone":"+44 1","MobilePhone":"+44 2","Pager":"3"},
    "imAddresses":{"ImAddress1":"sip:ada@example.org"},
    "physicalAddresses":{"Business":{"street":"St James's Sq 12","city":"London","state":"L",
      "countryOrRegion":"UK","postalCode":"SW1"},"Home":{"city":"Ockham"}},
    "businessHomePage":"https://example.org/","ftpSite":"ftp.example.org","governmentId":"77",
    "body":{"type":"text","value":"first line\nsecond"},"categories":["A & B","<C>"],
    "sensitivity":"Personal"})");
}

TEST_F(Create, ATaskHoldsItsDatesAndItsState) {
  expect_round_trip(RecordKind::task, R"({"subject":"Write","startDate":"2026-03-28","dueDate":"2026-03-30",
    "status":"InProgress","percentComplete":30,"importance":"High","totalWork":90,"actualWork":30,
    "categories":["x"],"body":{"type":"text","value":"all"}})");
}

TEST_F(Create, AFinishedTaskKeepsTheDayItWasFinished) {
  expect_round_trip(RecordKind::task, R"({"subject":"Done","status":"Completed","percentComplete":100,
    "completeDate":"2026-01-02"})");
}

TEST_F(Create, ATaskThatWaitsKeepsItsPercentage) {
  expect_round_trip(RecordKind::task,
                    R"({"subject":"Wait","status":"WaitingOnOthers","percentComplete":40})");
}

TEST_F(Create, AnAppointmentHoldsItsTimesInItsZone) {
  expect_round_trip(RecordKind::appointment, R"({"subject":"Lunch","location":"Here",
    "start":"2026-03-29T10:00:00Z","end":"2026-03-29T11:00:00Z",
    "startTimeZone":{"id":"W. Europe Standard Time"},"endTimeZone":{"id":"W. Europe Standard Time"},
    "legacyFreeBusyStatus":"OOF","reminderIsSet":true,"reminderMinutesBeforeStart":30,
    "sensitivity":"Normal","importance":"Low","categories":["y"]})");
}

TEST_F(Create, AnAllDayEventHoldsItsDates) {
  expect_round_trip(RecordKind::appointment, R"({"subject":"Fair","isAllDayEvent":true,
    "start":"2026-03-29","end":"2026-03-31","startTimeZone":{"id":"Tokyo Standard Time"},
    "endTimeZone":{"id":"Tokyo Standard Time"}})");
}

TEST_F(Create, AnAppointmentWithoutAZoneGetsTheMailboxs) {
  const std::string id = bench.made(
      bench.create(RecordKind::appointment,
                   R"({"subject":"x","start":"2026-03-29T10:00:00Z","end":"2026-03-29T11:00:00Z"})"));
  EXPECT_EQ(bench.read(RecordKind::appointment, id).fields.at("startTimeZone").at("id"),
            "W. Europe Standard Time");
}

TEST_F(Create, AZoneThatWindowsDoesNotHaveIsSentWithItsRules) {
  const std::string id =
      bench.made(bench.create(RecordKind::appointment,
                              R"({"subject":"x","start":"2026-07-01T10:00:00Z","end":"2026-07-01T11:00:00Z",
          "startTimeZone":{"id":"Antarctica/Troll"}})"));
  const sync::RemoteItem item = bench.read(RecordKind::appointment, id);
  EXPECT_TRUE(item.fields.at("startTimeZone").get_object().contains("definition"));
  EXPECT_EQ(item.fields.at("start"), "2026-07-01T10:00:00Z");
}

TEST_F(Create, AContactWithoutAFileAsIsFiledByItsName) {
  const std::string id =
      bench.made(bench.create(RecordKind::contact, R"({"givenName":"Ada","surname":"King"})"));
  EXPECT_EQ(bench.property(id, "contacts:FileAs"), "King, Ada");
  EXPECT_EQ(bench.property(id, "contacts:DisplayName"), "Ada King");
}

TEST_F(Create, APhotoIsAttachedAsThePictureOfTheContact) {
  bench.add_content(std::string(64, 'f'), std::string(3000, 'p'));
  const std::string id = bench.made(bench.create(
      RecordKind::contact,
      R"({"surname":"King","photo":{"sha256":"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff","size":3000,"contentType":"image/jpeg"}})"));
  const auto state = bench.exchange.items(anna, "contacts").at(0);
  EXPECT_EQ(state.attachments.at("ContactPicture.jpg"), std::string(3000, 'p'));
  EXPECT_EQ(bench.property(id, "contacts:HasPicture"), "true");
}

TEST_F(Create, ADraftIsAMessageThatDoesNotGo) {
  bench.made(bench.create(RecordKind::email,
                          R"({"subject":"later","toRecipients":[{"emailAddress":"bert@example.com"}]})"));
  EXPECT_EQ(bench.count("drafts"), 1U);
  EXPECT_TRUE(bench.mails().empty());
}

TEST_F(Create, AnAppointmentWithAttendeesMailsNobodyUnlessItIsSaid) {
  bench.made(bench.create(RecordKind::appointment, R"({"subject":"x","start":"2026-03-29T10:00:00Z",
    "end":"2026-03-29T11:00:00Z","requiredAttendees":[{"mailbox":{"emailAddress":"bert@example.com"}}]})"));
  EXPECT_TRUE(bench.mails().empty());
}

TEST_F(Create, ARefusalKeepsTheServersCodeAndIsNotRepeated) {
  exchange_sim::FaultRule rule;
  rule.action = exchange_sim::Action::response_code;
  rule.code = "ErrorQuotaExceeded";
  bench.exchange.fault("CreateItem", rule);
  const auto applied = bench.apply(bench.create(RecordKind::contact, R"({"surname":"x"})"));
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code, "ErrorQuotaExceeded");
  EXPECT_EQ(bench.exchange.requests("CreateItem"), 1U);
}

TEST_F(Create, ALostAnswerIsUncertainUntilTheServersTimeLimitHasPassed) {
  const auto order = bench.create(RecordKind::contact, R"({"surname":"x"})");
  MemoryProgress progress(bench.world.environment().clock);
  bench.exchange.lose_reply("CreateItem");
  for (int call = 0; call < 3; ++call) {
    const auto applied = bench.apply_once(order, progress);
    ASSERT_FALSE(applied);
    EXPECT_EQ(applied.error().code, "uncertain");
    EXPECT_EQ(applied.error().retry, RetryClass::after);
    EXPECT_GT(applied.error().retry_after.value(), std::chrono::seconds(50));
  }
  bench.world.run_for(std::chrono::seconds(61));
  const auto applied = bench.apply_once(order, progress);
  ASSERT_TRUE(applied) << applied.error().describe();
  EXPECT_EQ(bench.count("contacts"), 1U);
  EXPECT_EQ(bench.exchange.requests("CreateItem"), 1U);
}

TEST_F(Create, EvidenceIsFoundInTheFolderBeforeTheSearchKnowsIt) {
  const auto order = bench.create(RecordKind::task, R"({"subject":"x"})");
  MemoryProgress progress(bench.world.environment().clock);
  bench.exchange.lose_reply("CreateItem");
  // The first listing is the folder's own; the search after it sees nothing.
  exchange_sim::FaultRule blind;
  blind.action = exchange_sim::Action::empty_listing;
  blind.skip = 1;
  bench.exchange.fault("FindItem", blind);
  ASSERT_TRUE(bench.apply(order, progress));
  EXPECT_EQ(bench.count("tasks"), 1U);
}

TEST_F(Create, ACopyThatASlowRequestMadeIsReported) {
  const auto order = bench.create(RecordKind::contact, R"({"surname":"x"})");
  MemoryProgress progress(bench.world.environment().clock);
  bench.exchange.lose_request("CreateItem");
  ASSERT_FALSE(bench.apply_once(order, progress));
  bench.world.run_for(std::chrono::seconds(61));
  // The evidence is looked for, and found missing; then the request arrives after all.
  bench.exchange.heal();
  const std::string slow =
      "<t:Contact><t:ExtendedProperty><t:ExtendedFieldURI "
      "PropertySetId=\"5f4c1c0e-62ad-4f2b-9d0e-8a6f3b1d7c52\" "
      "PropertyName=\"SynclineOperationId\" PropertyType=\"String\"/><t:Value>" +
      order.operation_id + "</t:Value></t:ExtendedProperty><t:Surname>x</t:Surname></t:Contact>";
  ASSERT_TRUE(bench.service().add_item(anna, "contacts", slow));
  ASSERT_TRUE(bench.service().add_item(anna, "contacts", slow));
  const auto applied = bench.apply(order, progress);
  ASSERT_TRUE(applied) << applied.error().describe();
  EXPECT_EQ(bench.count("contacts"), 2U);
  ASSERT_EQ(applied->copies.size(), 1U);
  EXPECT_NE(applied->copies.front().id, applied->item.id);
}

TEST_F(Create, ABadValueIsRefusedBeforeAnythingIsSent) {
  const auto applied =
      bench.apply(bench.create(RecordKind::contact, R"({"surname":"x","birthday":"yesterday"})"));
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code, "bad-value");
  EXPECT_EQ(bench.exchange.requests("CreateItem"), 0U);
}

}  // namespace
}  // namespace syncline::ews::testing
