// SPDX-License-Identifier: GPL-3.0-or-later
// Update: what is said changes, the rest stays, and nobody's edit is written over (invariant 8).
#include "ews/driver/to_item.hpp"
#include "write_bench.hpp"

namespace syncline::ews::testing {
namespace {

using model::RecordKind;

class Update : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_THAT(bench.exchange.schema_violations(), ::testing::IsEmpty()); }
  WriteBench bench;

  std::string contact(std::string_view json = R"({"givenName":"Ada","surname":"King","jobTitle":"Analyst",
      "phoneNumbers":{"BusinessPhone":"1","MobilePhone":"2"},
      "physicalAddresses":{"Business":{"city":"London","street":"1"},"Home":{"city":"Ockham"}}})") {
    return bench.made(bench.create(RecordKind::contact, json));
  }
  std::string appointment(std::string_view more = "") {
    return bench.made(
        bench.create(RecordKind::appointment,
                     R"({"subject":"Lunch","start":"2026-03-20T11:00:00Z","end":"2026-03-20T12:00:00Z",
                         "startTimeZone":{"id":"Tokyo Standard Time"},"endTimeZone":{"id":"Tokyo Standard Time"})" +
                         std::string(more) + "}"));
  }
  model::Fields now(RecordKind kind, const std::string& id) { return bench.read(kind, id).fields; }
};

/// What an update consists of: "Append calendar:RequiredAttendees carl@example.com".
std::vector<std::string> in_words(const std::vector<ItemUpdate>& updates) {
  std::vector<std::string> words;
  for (const ItemUpdate& update : updates) {
    const auto uri = [](const PropertyPath& path) { return std::get<FieldUri>(path).uri; };
    const auto people = [](const Item& item) {
      std::string addresses;
      if (item.calendar)
        for (const Attendee& one : item.calendar->required_attendees)
          addresses += " " + one.mailbox.address.value_or("");
      return addresses;
    };
    if (const auto* set = std::get_if<SetItemField>(&update))
      words.push_back("Set " + uri(set->path) + people(set->item));
    else if (const auto* append = std::get_if<AppendToItemField>(&update))
      words.push_back("Append " + uri(append->path) + people(append->item));
    else
      words.push_back("Delete " + uri(std::get<DeleteItemField>(update).path));
  }
  return words;
}

TEST_F(Update, Invariant11NewAttendeesAreAppendedAndOnlyThoseThatGoWriteTheListAnew) {
  const auto client = bench.client_of(anna);
  const DriverState state(*client, {.mailbox = anna});
  const model::Fields base =
      fields(R"({"requiredAttendees":[{"mailbox":{"emailAddress":"Bert@example.com"}}]})");
  const auto update = [&](std::string_view json) {
    return to_updates(RecordKind::appointment, fields(json), base, state).value();
  };
  const ItemUpdates more = update(
      R"({"requiredAttendees":[{"mailbox":{"emailAddress":"bert@EXAMPLE.com"}},{"mailbox":{"emailAddress":"carl@example.com"}}]})");
  EXPECT_THAT(in_words(more.changes),
              ::testing::ElementsAre("Append calendar:RequiredAttendees carl@example.com"));
  EXPECT_THAT(more.attendees_removed, ::testing::IsEmpty());
  const ItemUpdates same =
      update(R"({"requiredAttendees":[{"mailbox":{"emailAddress":"bert@EXAMPLE.com"}}]})");
  EXPECT_THAT(same.changes, ::testing::IsEmpty());
  EXPECT_THAT(same.attendees_removed, ::testing::IsEmpty());
  const ItemUpdates other =
      update(R"({"requiredAttendees":[{"mailbox":{"emailAddress":"carl@example.com"}}]})");
  EXPECT_THAT(in_words(other.attendees_removed),
              ::testing::ElementsAre("Set calendar:RequiredAttendees carl@example.com"));
  const ItemUpdates none = update(R"({"requiredAttendees":[]})");
  EXPECT_THAT(in_words(none.attendees_removed), ::testing::ElementsAre("Delete calendar:RequiredAttendees"));
}

TEST_F(Update, Invariant13AChangedTimeWritesStartEndAndBothZones) {
  const auto client = bench.client_of(anna);
  const DriverState state(*client, {.mailbox = anna});
  const model::Fields base = fields(R"({"start":"2026-03-20T11:00:00Z","end":"2026-03-20T12:00:00Z",
      "startTimeZone":{"id":"Tokyo Standard Time"},"endTimeZone":{"id":"UTC"}})");
  const auto updates =
      to_updates(RecordKind::appointment, fields(R"({"start":"2026-03-20T11:30:00Z"})"), base, state).value();
  EXPECT_THAT(in_words(updates.changes),
              ::testing::ElementsAre("Set calendar:StartTimeZone", "Set calendar:EndTimeZone",
                                     "Set calendar:Start", "Set calendar:End"));
  const auto& zone = std::get<SetItemField>(updates.changes[1]).item.calendar->end_time_zone;
  ASSERT_TRUE(zone);
  EXPECT_EQ(zone->id, "UTC") << "the one that it had";
}

TEST_F(Update, WhatIsSaidChangesAndTheRestStays) {
  const std::string id = contact();
  const auto applied =
      bench.apply(bench.update(RecordKind::contact, id, R"({"jobTitle":"Countess","nickname":"A"})"));
  ASSERT_TRUE(applied) << applied.error().describe();
  EXPECT_EQ(applied->item, bench.ref(RecordKind::contact, id));
  EXPECT_EQ(bench.property(id, "contacts:JobTitle"), "Countess");
  EXPECT_EQ(bench.property(id, "contacts:Nickname"), "A");
  EXPECT_EQ(bench.property(id, "contacts:Surname"), "King");
}

TEST_F(Update, ANewSurnameGoesIntoTheNamesThatWereMadeOfIt) {
  const std::string id = contact();
  ASSERT_TRUE(bench.apply(bench.update(RecordKind::contact, id, R"({"surname":"Lovelace"})")));
  EXPECT_EQ(bench.property(id, "contacts:DisplayName"), "Ada Lovelace");
  EXPECT_EQ(bench.property(id, "contacts:FileAs"), "Lovelace, Ada");
  ASSERT_TRUE(bench.apply(
      bench.update(RecordKind::contact, id, R"({"displayName":"The Countess","fileAs":"Countess"})")));
  ASSERT_TRUE(bench.apply(bench.update(RecordKind::contact, id, R"({"surname":"Byron"})")));
  EXPECT_EQ(bench.property(id, "contacts:DisplayName"), "The Countess");
  EXPECT_EQ(bench.property(id, "contacts:FileAs"), "Countess");
}

TEST_F(Update, ATasksReminderIsSwitchedOff) {
  const std::string id = bench.made(bench.create(
      RecordKind::task, R"({"subject":"x","reminderIsSet":true,"reminderDueBy":"2026-02-01T08:00:00Z"})"));
  ASSERT_EQ(bench.property(id, "item:ReminderIsSet"), "true");
  ASSERT_TRUE(
      bench.apply(bench.update(RecordKind::task, id, R"({"reminderIsSet":null,"reminderDueBy":null})")));
  EXPECT_EQ(bench.property(id, "item:ReminderIsSet"), "false");
}

TEST_F(Update, NullClears) {
  const std::string id = contact();
  ASSERT_TRUE(bench.apply(bench.update(RecordKind::contact, id, R"({"jobTitle":null,"sensitivity":null})")));
  EXPECT_EQ(bench.property(id, "contacts:JobTitle"), "");
  EXPECT_EQ(bench.property(id, "item:Sensitivity"), "Normal");
}

TEST_F(Update, DictionariesChangeEntryByEntry) {
  const std::string id = contact();
  ASSERT_TRUE(bench.apply(bench.update(RecordKind::contact, id, R"({
      "phoneNumbers":{"MobilePhone":null,"Pager":"3"},
      "emailAddresses":{"EmailAddress2":"ada@example.org"},
      "physicalAddresses":{"Business":{"city":"Paris"},"Other":{"postalCode":"99"}}})")));
  const model::Fields held = now(RecordKind::contact, id);
  EXPECT_EQ(held.at("phoneNumbers"), fields(R"({"BusinessPhone":"1","Pager":"3"})"));
  EXPECT_EQ(held.at("emailAddresses"), fields(R"({"EmailAddress2":"ada@example.org"})"));
  EXPECT_EQ(held.at("physicalAddresses"),
            fields(R"({"Business":{"city":"Paris"},"Home":{"city":"Ockham"},"Other":{"postalCode":"99"}})"));
}

TEST_F(Update, ADictionaryThatIsClearedGoesWhole) {
  const std::string id = contact();
  ASSERT_TRUE(bench.apply(
      bench.update(RecordKind::contact, id, R"({"phoneNumbers":null,"physicalAddresses":null})")));
  EXPECT_TRUE(now(RecordKind::contact, id).at("phoneNumbers").is_null());
  EXPECT_TRUE(now(RecordKind::contact, id).at("physicalAddresses").is_null());
}

TEST_F(Update, Invariant8AnItemThatSomebodyChangedIsAConflictAndStaysAsItIs) {
  const std::string id = contact();
  auto order = bench.update(RecordKind::contact, id, R"({"jobTitle":"Countess"})");
  ASSERT_TRUE(bench.service().edit_item(anna, id, "contacts:JobTitle", "Poet"));
  const auto applied = bench.apply(order);
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code, "conflict");
  EXPECT_EQ(applied.error().retry, RetryClass::now);
  EXPECT_EQ(bench.property(id, "contacts:JobTitle"), "Poet");
}

TEST_F(Update, AnItemThatIsNotThereIsGone) {
  const std::string id = contact();
  auto order = bench.update(RecordKind::contact, id, R"({"jobTitle":"Countess"})");
  ASSERT_TRUE(bench.service().delete_item(anna, id, true));
  const auto applied = bench.apply(order);
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code, "gone");
}

TEST_F(Update, ALostAnswerIsSettledByTheMarkThatTheUpdateLeft) {
  const std::string id = contact();
  const auto order = bench.update(RecordKind::contact, id, R"({"jobTitle":"Countess"})");
  bench.exchange.forget_requests();
  bench.exchange.lose_reply("UpdateItem");
  const auto applied = bench.apply(order);
  ASSERT_TRUE(applied) << applied.error().describe();
  EXPECT_EQ(applied->item, bench.ref(RecordKind::contact, id));
  EXPECT_EQ(bench.exchange.requests("UpdateItem"), 1U);
}

TEST_F(Update, ALostRequestIsSentAgain) {
  const std::string id = contact();
  const auto order = bench.update(RecordKind::contact, id, R"({"jobTitle":"Countess"})");
  bench.exchange.lose_request("UpdateItem");
  ASSERT_TRUE(bench.apply(order));
  EXPECT_EQ(bench.property(id, "contacts:JobTitle"), "Countess");
}

TEST_F(Update, AnEditAfterALostRequestIsAConflict) {
  const std::string id = contact();
  const auto order = bench.update(RecordKind::contact, id, R"({"jobTitle":"Countess"})");
  MemoryProgress progress(bench.world.environment().clock);
  bench.exchange.lose_request("UpdateItem");
  ASSERT_FALSE(bench.apply_once(order, progress));
  ASSERT_TRUE(bench.service().edit_item(anna, id, "contacts:JobTitle", "Poet"));
  const auto applied = bench.apply(order, progress);
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code, "conflict");
  EXPECT_EQ(bench.property(id, "contacts:JobTitle"), "Poet");
}

TEST_F(Update, AnEditOfAnotherFieldAfterALostAnswerIsKept) {
  const std::string id = contact();
  const auto order = bench.update(RecordKind::contact, id, R"({"jobTitle":"Countess"})");
  MemoryProgress progress(bench.world.environment().clock);
  bench.exchange.lose_reply("UpdateItem");
  ASSERT_FALSE(bench.apply_once(order, progress));
  ASSERT_TRUE(bench.service().edit_item(anna, id, "contacts:Nickname", "A"));
  ASSERT_TRUE(bench.apply(order, progress));
  EXPECT_EQ(bench.property(id, "contacts:JobTitle"), "Countess");
  EXPECT_EQ(bench.property(id, "contacts:Nickname"), "A");
}

TEST_F(Update, ANewPhotoReplacesTheOld) {
  bench.add_content(std::string(64, '0'), std::string(2000, 'o'));
  bench.add_content(std::string(64, '1'), std::string(1990, 'n'));
  const std::string id = contact(
      R"({"surname":"King","photo":{"sha256":"0000000000000000000000000000000000000000000000000000000000000000","size":2000}})");
  const auto applied = bench.apply(bench.update(
      RecordKind::contact, id,
      R"({"photo":{"sha256":"1111111111111111111111111111111111111111111111111111111111111111","size":1990}})"));
  ASSERT_TRUE(applied) << applied.error().describe();
  EXPECT_EQ(applied->item, bench.ref(RecordKind::contact, id));
  const auto state = bench.exchange.items(anna, "contacts").at(0);
  ASSERT_EQ(state.attachments.size(), 1U);
  EXPECT_EQ(state.attachments.begin()->second, std::string(1990, 'n'));
  ASSERT_TRUE(bench.apply(bench.update(RecordKind::contact, id, R"({"photo":null})")));
  EXPECT_TRUE(bench.exchange.items(anna, "contacts").at(0).attachments.empty());
}

TEST_F(Update, AttachmentsComeAndGo) {
  bench.add_content(std::string(64, 'a'), "alpha");
  bench.add_content(std::string(64, 'b'), "beta");
  const std::string id = appointment(
      R"(,"attachments":[{"name":"same.txt","size":5,"sha256":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},{"name":"same.txt","size":4,"sha256":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}])");
  auto order = bench.update(RecordKind::appointment, id, "{}");
  auto list = order.base.at("attachments").get_array();
  ASSERT_EQ(list.size(), 2U);
  bench.add_content(std::string(64, 'c'), "gamma");
  list.erase(list.begin());
  list.push_back(fields(
      R"({"name":"new.txt","size":5,"sha256":"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"})"));
  order.fields["attachments"] = list;
  const auto applied = bench.apply(order);
  ASSERT_TRUE(applied) << applied.error().describe();
  EXPECT_EQ(applied->item, bench.ref(RecordKind::appointment, id));
  const auto left = bench.exchange.items(anna, "calendar").at(0).attachments;
  EXPECT_EQ(left.size(), 2U);
  EXPECT_EQ(left.at("new.txt"), "gamma");
}

TEST_F(Update, ASubjectLeavesTimesAndZonesOctetForOctet) {
  const std::string id = appointment();
  const std::string untouched_zone = bench.property(id, "calendar:StartTimeZone");
  const std::string start = bench.property(id, "calendar:Start");
  ASSERT_TRUE(bench.apply(bench.update(RecordKind::appointment, id, R"({"subject":"Dinner"})")));
  EXPECT_EQ(bench.property(id, "calendar:StartTimeZone"), untouched_zone);
  EXPECT_EQ(bench.property(id, "calendar:Start"), start);
}

TEST_F(Update, ANewStartKeepsTheZoneThatWasNotEdited) {
  const std::string id = appointment();
  const auto zone = now(RecordKind::appointment, id).at("startTimeZone");
  ASSERT_TRUE(zone.get_object().contains("definition"));
  ASSERT_TRUE(bench.apply(bench.update(RecordKind::appointment, id, R"({"start":"2026-03-20T10:00:00Z"})")));
  EXPECT_EQ(now(RecordKind::appointment, id).at("startTimeZone"), zone);
  const model::Fields held = now(RecordKind::appointment, id);
  EXPECT_EQ(held.at("start"), "2026-03-20T10:00:00Z");
  EXPECT_EQ(held.at("end"), "2026-03-20T12:00:00Z");
}

TEST_F(Update, TimesThatTheOrderDoesNotKnowAreAskedFor) {
  const std::string id = appointment();
  const auto zone = now(RecordKind::appointment, id).at("startTimeZone");
  auto order = bench.update(RecordKind::appointment, id, R"({"end":"2026-03-20T13:00:00Z"})");
  order.base.clear();
  ASSERT_TRUE(bench.apply(order));
  EXPECT_EQ(now(RecordKind::appointment, id).at("startTimeZone"), zone);
  EXPECT_EQ(now(RecordKind::appointment, id).at("start"), "2026-03-20T11:00:00Z");
  EXPECT_EQ(now(RecordKind::appointment, id).at("end"), "2026-03-20T13:00:00Z");
}

TEST_F(Update, ANewZoneDoesNotMoveTheInstants) {
  const std::string id = appointment();
  ASSERT_TRUE(bench.apply(
      bench.update(RecordKind::appointment, id,
                   R"({"startTimeZone":{"id":"Europe/Paris"},"endTimeZone":{"id":"Europe/Paris"}})")));
  const model::Fields held = now(RecordKind::appointment, id);
  EXPECT_EQ(held.at("startTimeZone").at("id"), "Romance Standard Time");
  EXPECT_EQ(held.at("start"), "2026-03-20T11:00:00Z");
}

TEST_F(Update, AnAppointmentBecomesAllDayInItsZone) {
  const std::string id = appointment();
  ASSERT_TRUE(bench.apply(bench.update(RecordKind::appointment, id,
                                       R"({"isAllDayEvent":true,"start":"2026-03-20","end":"2026-03-21"})")));
  const model::Fields held = now(RecordKind::appointment, id);
  EXPECT_EQ(held.at("start"), "2026-03-20");
  EXPECT_EQ(held.at("end"), "2026-03-21");
  EXPECT_EQ(bench.property(id, "calendar:Start"), "2026-03-19T15:00:00Z");
}

TEST_F(Update, FinishingATaskTellsTheDay) {
  const std::string id = bench.made(
      bench.create(RecordKind::task, R"({"subject":"x","percentComplete":50,"status":"InProgress"})"));
  ASSERT_TRUE(bench.apply(bench.update(
      RecordKind::task, id, R"({"status":"Completed","percentComplete":100,"completeDate":"2026-01-04"})")));
  const model::Fields held = now(RecordKind::task, id);
  EXPECT_EQ(held.at("status"), "Completed");
  EXPECT_EQ(held.at("percentComplete").to_number<double>(), 100);
  EXPECT_EQ(held.at("completeDate"), "2026-01-04");
}

TEST_F(Update, ATaskIsTakenUpAgain) {
  const std::string id =
      bench.made(bench.create(RecordKind::task, R"({"subject":"x","status":"Completed"})"));
  ASSERT_TRUE(bench.apply(bench.update(
      RecordKind::task, id, R"({"status":"InProgress","percentComplete":20,"completeDate":null})")));
  const model::Fields held = now(RecordKind::task, id);
  EXPECT_EQ(held.at("status"), "InProgress");
  EXPECT_EQ(held.at("percentComplete").to_number<double>(), 20);
  EXPECT_TRUE(held.at("completeDate").is_null());
}

TEST_F(Update, ARecurringTaskKeepsItsId) {
  const std::string id = bench.made(bench.create(RecordKind::task, R"({"subject":"Report",
      "startDate":"2026-01-05","dueDate":"2026-01-05",
      "recurrence":{"pattern":{"type":"daily","interval":1},
                    "range":{"type":"noEnd","startDate":"2026-01-05"}}})"));
  bench.exchange.forget_requests();
  bench.exchange.lose_reply("UpdateItem");
  const auto applied = bench.apply(bench.update(RecordKind::task, id, R"({"status":"Completed"})"));
  ASSERT_TRUE(applied) << applied.error().describe();
  EXPECT_EQ(applied->item.id, id);
  EXPECT_EQ(applied->item, bench.ref(RecordKind::task, id));
  EXPECT_EQ(bench.count("tasks"), 2U) << "the series, and the one that was finished";
  EXPECT_EQ(bench.exchange.requests("UpdateItem"), 1U);
}

TEST_F(Update, AMessageIsMarkedAsReadAndNothingElse) {
  const std::string id =
      bench.service()
          .deliver(anna, "From: bert@example.com\r\nTo: anna@example.com\r\nSubject: x\r\n\r\nx\r\n")
          .value();
  ASSERT_TRUE(bench.apply(bench.update(RecordKind::email, id, R"({"isRead":true})")));
  EXPECT_EQ(bench.property(id, "message:IsRead"), "true");
}

TEST_F(Update, MarksGoFromACopyOfOurs) {
  const std::string id = contact();
  ASSERT_TRUE(bench.apply(bench.update(RecordKind::contact, id, R"({"jobTitle":"x"})")));
  const auto before = bench.read(RecordKind::contact, id);
  ASSERT_EQ(before.operation_id, "op-1");
  for (int twice = 0; twice < 2; ++twice) {
    const auto unmarked = bench.unmark(before.ref, RecordKind::contact);
    ASSERT_TRUE(unmarked) << unmarked.error().describe();
    EXPECT_EQ(*unmarked, bench.ref(RecordKind::contact, id));
    EXPECT_FALSE(bench.read(RecordKind::contact, id).operation_id);
  }
}

}  // namespace
}  // namespace syncline::ews::testing
