// SPDX-License-Identifier: GPL-3.0-or-later
// Contacts and tasks both ways through the whole engine, with all their fields.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "exchange_organisation.hpp"
#include "model/field_catalogue.hpp"

namespace syncline::sync::testing {
namespace {

using model::RecordKind;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::string_view full_contact = R"({
    "displayName":"Dr. Ada King","fileAs":"King, Ada","givenName":"Ada","middleName":"M","surname":"King",
    "initials":"AMK","title":"Dr.","generation":"Jr.","nickname":"A","phoneticGivenName":"eida",
    "phoneticSurname":"kingu","companyName":"Engines","department":"R","jobTitle":"Analyst",
    "profession":"Poet","officeLocation":"2.1","manager":"Charles","assistantName":"B","spouseName":"W",
    "children":["Byron","Anne"],"birthday":"1815-12-10","weddingAnniversary":"1835-07-08",
    "emailAddresses":{"EmailAddress1":"ada@example.org","EmailAddress2":"b@example.org",
      "EmailAddress3":"king@example.org"},
    "phoneNumbers":{"AssistantPhone":"1","BusinessFax":"2","BusinessPhone":"+44 1","BusinessPhone2":"4",
      "Callback":"5","CarPhone":"6","CompanyMainPhone":"7","HomeFax":"8","HomePhone":"9","HomePhone2":"10",
      "Isdn":"11","MobilePhone":"+44 2","OtherFax":"13","OtherTelephone":"14","Pager":"3",
      "PrimaryPhone":"16","RadioPhone":"17","Telex":"18","TtyTddPhone":"19"},
    "imAddresses":{"ImAddress1":"sip:ada@example.org","ImAddress2":"x","ImAddress3":"y"},
    "physicalAddresses":{"Business":{"street":"St James's Sq 12","city":"London","state":"L",
      "countryOrRegion":"UK","postalCode":"SW1"},"Home":{"city":"Ockham"},"Other":{"street":"Other 1"}},
    "businessHomePage":"https://example.org/","ftpSite":"ftp.example.org","governmentId":"77",
    "body":{"type":"text","value":"first line\nsecond"},"categories":["A & B","<C>"],
    "sensitivity":"Personal"})";
constexpr std::string_view full_task = R"({"subject":"Write","startDate":"2026-03-28","dueDate":"2026-03-30",
    "status":"InProgress","percentComplete":40,"importance":"High","sensitivity":"Personal",
    "categories":["Red"],"totalWork":120,"actualWork":30,"body":{"type":"text","value":"a\nb"},
    "reminderIsSet":true,"reminderDueBy":"2026-03-29T08:00:00Z"})";

model::Fields fields(std::string_view text) {
  return boost::json::parse(text).get_object();
}

class ContactsAndTasks : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_THAT(server.exchange.schema_violations(), IsEmpty()); }

  ExchangeWorld server{{.schema_folder = SYNCLINE_SOURCE_DIR "/wsdl"}};
  ExchangeOrganisation organisation{server, anna};

  /// Out to the server by one organisation, in from it by another one: the same fields.
  void expect_round_trip(RecordKind kind, const std::string& folder, model::Fields given) {
    organisation.settings.claim = false;
    organisation.add(kind, given);
    organisation.must_run();
    organisation.expect_quiet();
    const auto item_before = server.exchange.items(anna, folder);
    ExchangeOrganisation other(server, anna, 2);
    other.settings.claim = false;
    other.must_run();
    const model::Record arrived = other.only_record(kind);
    for (const auto& [name, value] : given) {
      const model::FieldInfo* info = model::find_field(kind, name);
      ASSERT_NE(info, nullptr) << name;
      if (info->direction == model::Direction::to_exchange) continue;
      const auto* read = arrived.fields.if_contains(name);
      EXPECT_TRUE(read != nullptr &&
                  (info->type == model::FieldType::photo || model::same_value(*info, value, *read)))
          << name << " arrived as " << field_text(arrived.fields, name);
    }
    other.expect_quiet();
    EXPECT_EQ(server.exchange.items(anna, folder), item_before) << "reading changes no item";
  }
};

TEST_F(ContactsAndTasks, AContactArrivesOnTheOtherSideWithAllItsFields) {
  model::Fields given = fields(full_contact);
  const std::string photo(3000, 'j');
  given["photo"] = {
      {"sha256", organisation.add_content(photo)}, {"size", photo.size()}, {"contentType", "image/jpeg"}};
  expect_round_trip(RecordKind::contact, "contacts", given);
  EXPECT_EQ(server.exchange.items(anna, "contacts").at(0).attachments.begin()->second, photo);
}

TEST_F(ContactsAndTasks, ATaskArrivesOnTheOtherSideWithAllItsFields) {
  expect_round_trip(RecordKind::task, "tasks", fields(full_task));
}

TEST_F(ContactsAndTasks, ARecurringTaskArrivesOnTheOtherSide) {
  expect_round_trip(RecordKind::task, "tasks", fields(R"({"subject":"Report","startDate":"2026-01-05",
      "dueDate":"2026-01-05","status":"NotStarted","recurrence":{"pattern":{"type":"weekly","interval":2,
      "daysOfWeek":["Monday"]},"range":{"type":"numbered","startDate":"2026-01-05","numberOfOccurrences":5}}})"));
}

TEST_F(ContactsAndTasks, AUsersContactIsMergedFieldByField) {
  const std::string id = server.add(anna, "contacts",
                                    R"(<t:Contact><t:GivenName>Marta</t:GivenName><t:PhoneNumbers>
      <t:Entry Key="HomePhone">1</t:Entry><t:Entry Key="Pager">2</t:Entry></t:PhoneNumbers>
      <t:Surname>Sand</t:Surname></t:Contact>)");
  organisation.must_run();
  const model::Record record = organisation.only_record(RecordKind::contact);
  organisation.expect_quiet();
  organisation.edit(record.id,
                    {{"phoneNumbers", {{"HomePhone", "1"}, {"Pager", "3"}}}, {"jobTitle", "Cook"}});
  server.edit(anna, id, "contacts:PhoneNumber/HomePhone", "7");
  server.edit(anna, id, "contacts:Department", "Kitchen");
  organisation.must_run();
  EXPECT_EQ(server.property(anna, id, "contacts:PhoneNumber/HomePhone"), "7");
  EXPECT_EQ(server.property(anna, id, "contacts:PhoneNumber/Pager"), "3");
  EXPECT_EQ(server.property(anna, id, "contacts:JobTitle"), "Cook");
  const model::Record merged = organisation.record(record.id);
  EXPECT_EQ(field_text(merged.fields, "department"), "\"Kitchen\"");
  EXPECT_EQ(field_text(merged.fields, "phoneNumbers"), R"({"HomePhone":"7","Pager":"3"})");
  EXPECT_THAT(organisation.journal("conflict"), IsEmpty());
  organisation.expect_quiet();
}

TEST_F(ContactsAndTasks, ADeleteGoesBothWays) {
  const std::string id = server.add(anna, "contacts", "<t:Contact><t:GivenName>A</t:GivenName></t:Contact>");
  server.add(anna, "contacts", "<t:Contact><t:GivenName>B</t:GivenName></t:Contact>");
  server.add(anna, "contacts", "<t:Contact><t:GivenName>C</t:GivenName></t:Contact>");
  organisation.must_run();
  ASSERT_THAT(organisation.records(RecordKind::contact), SizeIs(3));
  ASSERT_TRUE(server.service().delete_item(anna, id));
  organisation.must_run();
  ASSERT_THAT(organisation.records(RecordKind::contact), SizeIs(2));
  organisation.remove(organisation.records(RecordKind::contact).front().id);
  organisation.must_run();
  EXPECT_EQ(server.count(anna, "contacts"), 1u);
  EXPECT_EQ(server.count(anna, "deleteditems"), 2u) << "never hard";
  organisation.expect_quiet();
}

TEST_F(ContactsAndTasks, invariant10AFinishedRecurringTaskKeepsItsSeriesLinked) {
  organisation.add(RecordKind::task, fields(R"({"subject":"Report","startDate":"2026-01-05",
      "dueDate":"2026-01-05","status":"NotStarted","recurrence":{"pattern":{"type":"daily","interval":1},
      "range":{"type":"noEnd","startDate":"2026-01-05"}}})"));
  organisation.must_run();
  const model::Record series = organisation.only_record(RecordKind::task);
  const std::string id = organisation.links(series.id).at(0).remote_id;
  organisation.edit(series.id, {{"status", "Completed"}, {"percentComplete", 100.0}});
  organisation.settle();
  EXPECT_EQ(organisation.links(series.id).at(0).remote_id, id) << "the link keeps the old id";
  organisation.settle();
  organisation.expect_quiet();
}

TEST_F(ContactsAndTasks, aPhotoIsReplacedAndTaken) {
  const std::string first = organisation.add_content(std::string(100, 'a'));
  const model::Record record = organisation.add(
      RecordKind::contact,
      {{"givenName", "Ada"}, {"photo", {{"sha256", first}, {"size", 100}, {"contentType", "image/jpeg"}}}});
  organisation.must_run();
  const std::string second = organisation.add_content(std::string(200, 'b'));
  organisation.edit(record.id,
                    {{"photo", {{"sha256", second}, {"size", 200}, {"contentType", "image/jpeg"}}}});
  organisation.must_run();
  const auto item = server.exchange.items(anna, "contacts").at(0);
  ASSERT_THAT(item.attachments, SizeIs(1));
  EXPECT_EQ(item.attachments.begin()->second, std::string(200, 'b'));
  organisation.expect_quiet();
  organisation.edit(record.id, {{"photo", nullptr}});
  organisation.must_run();
  EXPECT_THAT(server.exchange.items(anna, "contacts").at(0).attachments, IsEmpty());
  organisation.expect_quiet();
}

}  // namespace
}  // namespace syncline::sync::testing
