// SPDX-License-Identifier: GPL-3.0-or-later
#include "scenarios.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace syncline::sync::testing {
namespace {

using model::RecordKind;

/// Of the server that the scenarios are played with.
constexpr std::uint64_t largest_request = 40'000;

model::Fields fields(std::string_view text) {
  return boost::json::parse(text).get_object();
}

model::RecordId record_with(ExchangeOrganisation& organisation, RecordKind kind, std::string_view field,
                            std::string_view value) {
  for (const model::Record& record : organisation.records(kind))
    if (const auto* there = record.fields.if_contains(field);
        there != nullptr && there->is_string() && there->get_string() == value)
      return record.id;
  ADD_FAILURE() << "no record with " << field << " " << value;
  return 0;
}

std::string item_with(ExchangeWorld& server, std::string_view folder, std::string_view subject) {
  for (const auto& view : server.list(anna, folder))
    if (view.subject == subject) return view.id;
  ADD_FAILURE() << "no item " << subject;
  return {};
}

constexpr std::string_view meeting = R"({"subject":"Review","start":"2026-02-02T09:00:00Z",
  "end":"2026-02-02T10:00:00Z","startTimeZone":{"id":"W. Europe Standard Time"},
  "endTimeZone":{"id":"W. Europe Standard Time"},
  "requiredAttendees":[{"mailbox":{"emailAddress":"bert@example.com"}}]})";
constexpr std::string_view series = R"({"subject":"Jour fixe","start":"2026-03-09T09:00:00Z",
  "end":"2026-03-09T10:00:00Z","startTimeZone":{"id":"W. Europe Standard Time"},
  "endTimeZone":{"id":"W. Europe Standard Time"},
  "recurrence":{"pattern":{"type":"weekly","interval":1,"daysOfWeek":["Monday"]},
                "range":{"type":"numbered","startDate":"2026-03-09","numberOfOccurrences":6}},
  "modifiedOccurrences":[{"originalStart":"2026-03-16T09:00:00Z","start":"2026-03-17T09:00:00Z",
                          "end":"2026-03-17T09:30:00Z"}],
  "deletedOccurrences":["2026-03-30T08:00:00Z"]})";

void mail_comes(ExchangeWorld& server, ExchangeOrganisation&) {
  for (int i = 0; i < 4; ++i)
    server.deliver(anna, mail_from(bert, "Message " + std::to_string(i), "<" + std::to_string(i) + "@x>"));
  static_cast<void>(server.service().add_folder(anna, "inbox", "Projects").value());
}

void mail_moves(ExchangeWorld& server, ExchangeOrganisation&) {
  EXPECT_TRUE(server.service().set_read(anna, item_with(server, "inbox", "Message 2"), true));
  EXPECT_TRUE(server.service().move_item(anna, item_with(server, "inbox", "Message 3"), "inbox/Projects"));
  server.deliver(anna, mail_from(bert, "Message 1", "<1@x>"));  // again: one record
  EXPECT_TRUE(server.service().add_mime(anna, "sentitems",
                                        mail_from(anna, "Answer", "<9@x>", "In-Reply-To: <1@x>\r\n")));
}

void mail_goes(ExchangeWorld&, ExchangeOrganisation& organisation) {
  const std::string attached = organisation.add_content(std::string(3000, 'q'));
  const std::string too_large = organisation.add_content(std::string(largest_request, 'q'));
  for (int i = 0; i < 3; ++i) {
    model::Fields message = fields(R"({"direction":"outgoing","statusCode":"pendingSend",
        "body":{"type":"text","value":"hello"},"toRecipients":[{"emailAddress":"bert@example.com"}]})");
    message["subject"] = "Offer " + std::to_string(i);
    if (i == 1)
      message["attachments"] = {
          {{"name", "a.txt"}, {"contentType", "text/plain"}, {"size", 3000}, {"sha256", attached}}};
    if (i == 2)  // refused when its draft is there already, which then goes (R-23)
      message["attachments"] = {{{"name", "b.txt"},
                                 {"contentType", "text/plain"},
                                 {"size", largest_request},
                                 {"sha256", too_large}}};
    organisation.add(RecordKind::email, std::move(message));
  }
}

void contacts_and_tasks_arise(ExchangeWorld& server, ExchangeOrganisation& organisation) {
  server.add(anna, "contacts",
             "<t:Contact><t:Subject>Marta</t:Subject><t:GivenName>Marta</t:GivenName></t:Contact>");
  server.add(anna, "tasks", "<t:Task><t:Subject>Call</t:Subject><t:Status>NotStarted</t:Status></t:Task>");
  organisation.add(RecordKind::contact, fields(R"({"givenName":"Bert","displayName":"Bert",
      "phoneNumbers":{"HomePhone":"1"}})"));
  const std::string photo = organisation.add_content(std::string(500, 'p'));
  organisation.add(RecordKind::contact,
                   {{"givenName", "Carla"},
                    {"displayName", "Carla"},
                    {"photo", {{"sha256", photo}, {"size", 500}, {"contentType", "image/jpeg"}}}});
  organisation.add(RecordKind::task, fields(R"({"subject":"Write"})"));
}

void contacts_and_tasks_change(ExchangeWorld& server, ExchangeOrganisation& organisation) {
  server.edit(anna, item_with(server, "contacts", "Marta"), "contacts:JobTitle", "Cook");
  organisation.edit(record_with(organisation, RecordKind::contact, "givenName", "Marta"),
                    {{"nickname", "M"}});
  organisation.edit(record_with(organisation, RecordKind::contact, "givenName", "Bert"),
                    fields(R"({"phoneNumbers":{"HomePhone":"1","MobilePhone":"2"}})"));
  organisation.edit(record_with(organisation, RecordKind::task, "subject", "Call"),
                    fields(R"({"status":"Completed"})"));
  server.edit(anna, item_with(server, "tasks", "Write"), "item:Importance", "High");
}

void contacts_and_tasks_go(ExchangeWorld& server, ExchangeOrganisation& organisation) {
  organisation.remove(record_with(organisation, RecordKind::contact, "givenName", "Carla"));
  EXPECT_TRUE(server.service().delete_item(anna, item_with(server, "tasks", "Call")));
}

void appointments_arise(ExchangeWorld& server, ExchangeOrganisation& organisation) {
  organisation.add(RecordKind::appointment, fields(meeting));
  organisation.add(RecordKind::appointment, fields(series));
  server.add(anna, "calendar",
             "<t:CalendarItem><t:Subject>Dentist</t:Subject><t:Start>2026-02-03T08:00:00Z</t:Start>"
             "<t:End>2026-02-03T09:00:00Z</t:End></t:CalendarItem>");
}

void appointments_change(ExchangeWorld& server, ExchangeOrganisation& organisation) {
  organisation.edit(record_with(organisation, RecordKind::appointment, "subject", "Review"),
                    {{"start", "2026-02-02T11:00:00Z"}, {"end", "2026-02-02T12:00:00Z"}});
  organisation.edit(record_with(organisation, RecordKind::appointment, "subject", "Jour fixe"),
                    {{"location", "Room 2"}});
  server.edit(anna, item_with(server, "calendar", "Dentist"), "calendar:Location", "Town");
}

void appointments_go(ExchangeWorld& server, ExchangeOrganisation& organisation) {
  organisation.remove(record_with(organisation, RecordKind::appointment, "subject", "Review"));
  EXPECT_TRUE(server.service().delete_item(anna, item_with(server, "calendar", "Dentist")));
}

}  // namespace

const std::vector<Scenario>& scenarios() {
  static const std::vector<Scenario> all = {
      {"mail in", {mail_comes, mail_moves}},
      {"mail out", {mail_goes}},
      {"contacts and tasks", {contacts_and_tasks_arise, contacts_and_tasks_change, contacts_and_tasks_go}},
      {"appointments", {appointments_arise, appointments_change, appointments_go}},
  };
  return all;
}

Outcome play(const Scenario& scenario, const Trouble& trouble) {
  ExchangeWorld server({.limits = {.request_octets = largest_request}});
  ExchangeOrganisation organisation(server, anna);
  organisation.settings.tracked_folders = {"Projects"};
  organisation.read_ahead();
  for (std::size_t step = 0; step < scenario.steps.size(); ++step) {
    scenario.steps[step](server, organisation);
    if (step == trouble.step) {
      if (trouble.before) trouble.before(server, organisation);
      static_cast<void>(organisation.run());
      if (trouble.after) trouble.after(server, organisation);
      server.exchange.heal();
      server.pass(std::chrono::seconds(1));
      organisation.reopen();
    }
    organisation.settle();
    // What the writes of this step caused is seen as late as possible.
    server.pass(std::chrono::minutes(1));
  }
  organisation.settle();
  Outcome outcome{.records = organisation.dump(), .items = server.contents(), .mails = server.mails()};
  organisation.expect_quiet();
  return outcome;
}

void expect_same(const Outcome& unbroken, const Outcome& broken) {
  EXPECT_EQ(broken.records, unbroken.records);
  EXPECT_EQ(broken.items, unbroken.items);
  EXPECT_EQ(broken.mails, unbroken.mails);
}

}  // namespace syncline::sync::testing
