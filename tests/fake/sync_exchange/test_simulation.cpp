// SPDX-License-Identifier: GPL-3.0-or-later
// The simulation over EWS: days of edits on both sides of two organisations, faults of every kind, kills;
// when it is quiet, both sides are equal under the field directions, nothing is double, nothing was mailed
// twice, and no edit is lost that the journal does not name. SYNCLINE_SEEDS=FIRST-LAST plays other seeds than
// CI's; a failing one is named and plays the same way again.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <set>

#include "base/text.hpp"
#include "exchange_organisation.hpp"
#include "model/field_catalogue.hpp"
#include "store/journal.hpp"

namespace syncline::sync::testing {
namespace {

using exchange_sim::Action;
using exchange_sim::FaultRule;
using model::RecordKind;

constexpr std::uint64_t seeds_in_ci = 20;

std::pair<std::uint64_t, std::uint64_t> seeds() {
  const char* wanted = std::getenv("SYNCLINE_SEEDS");
  if (wanted == nullptr) return {1, seeds_in_ci};
  const auto parts = text::split(wanted, '-');
  const auto first = text::parse_int(parts.front()).value_or(1);
  const auto last = parts.size() > 1 ? text::parse_int(parts.back()).value_or(first) : first;
  return {static_cast<std::uint64_t>(first), static_cast<std::uint64_t>(last)};
}

/// A field that both sides edit, in a record and in its item.
struct EditedField {
  const char* name;
  const char* uri;
};
constexpr EditedField contact_fields[] = {{"jobTitle", "contacts:JobTitle"},
                                          {"nickname", "contacts:Nickname"},
                                          {"department", "contacts:Department"},
                                          {"manager", "contacts:Manager"}};
constexpr EditedField location{"location", "calendar:Location"};

struct Side {
  const char* address;
  std::unique_ptr<ExchangeOrganisation> organisation;
  /// Values that somebody wrote and nobody who had seen them replaced: by the key of the thing they are in.
  std::map<std::string, std::set<std::string>> standing = {};
};

class Play {
 public:
  explicit Play(std::uint64_t seed) : random_(seed) {
    for (std::size_t i = 0; i < 2; ++i) {
      const char* address = i == 0 ? anna : bert;
      sides_.push_back(
          {.address = address,
           .organisation = std::make_unique<ExchangeOrganisation>(server_, address, seed * 2 + i)});
      if (seed % 2 == 0) sides_.back().organisation->read_ahead();
      MailboxSettings& settings = sides_.back().organisation->settings;
      const model::ConflictWinner winners[] = {model::ConflictWinner::exchange, model::ConflictWinner::record,
                                               model::ConflictWinner::newest};
      settings.policies.conflict.winner = winners[random_.below(3)];
      settings.tracked_folders = {"Projects"};
      EXPECT_TRUE(server_.service().add_folder(address, "inbox", "Projects"));
    }
  }

  void play() {
    const std::uint64_t days = 2 + random_.below(3);
    for (std::uint64_t day = 0; day < days; ++day)
      for (Side& side : sides_) {
        for (std::uint64_t n = random_.below(6); n > 0; --n) somebody_acts(side);
        run_with_trouble(side);
        server_.pass(std::chrono::minutes(random_.below(600)));
      }
    // Quiet: what is under way comes to its end.
    for (int round = 0; round < 4; ++round)
      for (Side& side : sides_) {
        server_.pass(std::chrono::minutes(40));
        side.organisation->must_run();
      }
    for (Side& side : sides_) check(side);
    check_mails();
  }

 private:
  /// Two things made here never look alike: a second one is a duplicate.
  std::string unique() { return "u" + std::to_string(++made_); }

  std::vector<std::string> items(const Side& side, const char* folder) {
    std::vector<std::string> ids;
    for (const auto& view : server_.list(side.address, folder)) ids.push_back(view.id);
    return ids;
  }
  std::string some_item(const Side& side, const char* folder) {
    const auto ids = items(side, folder);
    return ids.empty() ? std::string() : ids[random_.below(ids.size())];
  }
  std::optional<model::Record> some_record(Side& side, RecordKind kind) {
    auto records = side.organisation->records(kind);
    if (records.empty()) return std::nullopt;
    return records[random_.below(records.size())];
  }
  static std::string text_in(const model::Fields& fields, std::string_view name) {
    const auto* value = fields.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
  }

  void edit_item(Side& side, const std::string& id, const std::string& key, const EditedField& field) {
    std::set<std::string>& standing = side.standing[key + "." + field.name];
    standing.erase(server_.property(side.address, id, field.uri));
    const std::string value = unique();
    server_.edit(side.address, id, field.uri, value);
    standing.insert(value);
  }
  void edit_record(Side& side, const model::Record& record, const std::string& key,
                   const EditedField& field) {
    std::set<std::string>& standing = side.standing[key + "." + field.name];
    standing.erase(text_in(record.fields, field.name));
    const std::string value = unique();
    side.organisation->edit(record.id, {{field.name, value}});
    standing.insert(value);
  }

  void somebody_acts(Side& side) {
    ExchangeOrganisation& organisation = *side.organisation;
    const char* other = side.address == std::string_view(anna) ? bert : anna;
    switch (random_.below(16)) {
      case 0:
        server_.add(
            side.address, "contacts",
            "<t:Contact><t:GivenName>G</t:GivenName><t:Surname>" + unique() + "</t:Surname></t:Contact>");
        break;
      case 1:
        if (const auto id = some_item(side, "contacts"); !id.empty())
          edit_item(side, id, server_.property(side.address, id, "contacts:Surname"),
                    contact_fields[random_.below(4)]);
        break;
      case 2:
        if (const auto record = some_record(side, RecordKind::contact))
          edit_record(side, *record, text_in(record->fields, "surname"), contact_fields[random_.below(4)]);
        break;
      case 3:
        organisation.add(RecordKind::contact, {{"givenName", "G"}, {"surname", unique()}});
        break;
      case 4:
        if (const auto ids = items(side, "contacts"); ids.size() > 3) {
          EXPECT_TRUE(server_.service().delete_item(side.address, ids[random_.below(ids.size())]));
        }
        break;
      case 5:
        if (organisation.records(RecordKind::contact).size() > 3)
          organisation.remove(some_record(side, RecordKind::contact)->id);
        break;
      case 6:
        organisation.add(RecordKind::email, {{"direction", "outgoing"},
                                             {"statusCode", "pendingSend"},
                                             {"subject", unique()},
                                             {"body", {{"type", "text"}, {"value", "hello"}}},
                                             {"toRecipients", {{{"emailAddress", other}}}}});
        break;
      case 7:
        server_.add(side.address, "tasks", "<t:Task><t:Subject>" + unique() + "</t:Subject></t:Task>");
        break;
      case 8:
        if (const auto record = some_record(side, RecordKind::task))
          organisation.edit(record->id, {{"status", "Completed"}, {"percentComplete", 100.0}});
        break;
      case 9:
        if (const auto id = some_item(side, "tasks"); !id.empty())
          server_.edit(side.address, id, "item:Categories",
                       "<t:String>" + unique() + "</t:String><t:String>Red</t:String>");
        break;
      case 10:
        organisation.add(RecordKind::appointment,
                         {{"subject", side.address[0] + unique()},
                          {"start", "2026-09-01T09:00:00Z"},
                          {"end", "2026-09-01T10:00:00Z"},
                          {"requiredAttendees", {{{"mailbox", {{"emailAddress", other}}}}}}});
        break;
      case 11:
        if (const auto record = some_record(side, RecordKind::appointment)) {
          const std::string subject = text_in(record->fields, "subject");
          if (subject.starts_with(side.address[0])) edit_record(side, *record, subject, location);
        }
        break;
      case 12:
        if (const auto id = some_item(side, "calendar"); !id.empty()) {
          const std::string subject = server_.property(side.address, id, "item:Subject");
          if (subject.starts_with(side.address[0])) edit_item(side, id, subject, location);
        }
        break;
      case 13:
        for (const auto& view : server_.list(side.address, "inbox"))
          if (view.element == "Message") {
            EXPECT_TRUE(server_.service().move_item(side.address, view.id, "inbox/Projects"));
            break;
          }
        break;
      case 14:
        if (const auto id = some_item(side, "calendar"); !id.empty()) {
          const bool own = server_.property(side.address, id, "item:Subject").starts_with(side.address[0]);
          const char* answer = random_.below(2) == 0 ? "Accept" : "Tentative";
          if (!own) {
            EXPECT_TRUE(server_.service().respond(side.address, id, answer));
          }
        }
        break;
      case 15:
        server_.deliver(side.address, mail_from("c@example.org", unique(), "<" + unique() + "@x>"));
        break;
    }
  }

  /// Requests that fail, replies that are lost or cut, busy answers, a server that is away; kills.
  void run_with_trouble(Side& side) {
    ExchangeOrganisation& organisation = *side.organisation;
    std::unique_ptr<StopAt> stop;
    bool away = false;
    for (std::uint64_t troubles = random_.below(3); troubles > 0; --troubles) {
      FaultRule rule;
      rule.times = 1 + random_.below(3);
      rule.skip = random_.below(12);
      rule.every = 1 + random_.below(3);
      constexpr const char* writes[] = {"", "CreateItem", "UpdateItem", "SendItem", "DeleteItem"};
      switch (random_.below(8)) {
        case 0:
          rule.action = Action::busy;
          rule.wait = std::chrono::seconds(1 + random_.below(40));
          rule.place = static_cast<exchange_sim::BusyPlace>(random_.below(4));
          break;
        case 1:
          rule.action = Action::unavailable;
          rule.wait = std::chrono::seconds(1 + random_.below(40));
          break;
        case 2:
          rule.action = Action::abort_before;
          break;
        case 3:
          rule.action = Action::abort_after;
          rule.operation = writes[random_.below(5)];
          rule.skip = random_.below(3);
          break;
        case 4:
          rule.action = Action::cut;
          rule.operation = writes[random_.below(5)];
          rule.skip = random_.below(3);
          rule.offset = random_.below(3000);
          break;
        case 5:
          EXPECT_TRUE(server_.service().invalidate_sync_states(side.address));
          continue;
        case 6:
          stop = std::make_unique<StopAt>(
              random_.below(30), random_.below(2) == 0 ? StopAt::Moment::before : StopAt::Moment::after);
          organisation.reopen(stop.get());
          continue;
        case 7:
          away = random_.below(3) == 0;
          continue;
      }
      server_.exchange.sim().faults().add(rule);
    }
    if (away) server_.world.stop_listening("mail.example.com", 443);
    organisation.options.settle = random_.below(2) == 0;
    static_cast<void>(organisation.run());
    organisation.options.settle = true;
    server_.exchange.heal();
    if (away) server_.world.serve_http("mail.example.com", 443, server_.exchange.sim().handler("onprem"));
    if (stop) organisation.reopen();
  }

  void check_mails() {
    std::set<std::string> messages;
    std::set<std::string> invitations;
    for (const exchange_sim::SentMail& mail : server_.service().sent_mail()) {
      if (mail.reason == exchange_sim::MailReason::message) {
        EXPECT_TRUE(messages.insert(mail.to + " " + mail.subject).second)
            << mail.subject << " was sent twice";
      }
      if (mail.reason == exchange_sim::MailReason::invitation) {
        EXPECT_TRUE(invitations.insert(mail.to + " " + mail.subject).second)
            << mail.to << " was invited twice to " << mail.subject;
      }
    }
  }

  void check(Side& side) {
    SCOPED_TRACE(side.address);
    ExchangeOrganisation& organisation = *side.organisation;
    std::map<std::string, int> incoming;
    for (const model::Record& record : organisation.records(RecordKind::email)) {
      if (text_in(record.fields, "direction") == "outgoing") {
        EXPECT_EQ(text_in(record.fields, "statusCode"), "sent") << text_in(record.fields, "subject");
        continue;
      }
      for (const store::Link& link : organisation.links(record.id))
        if (link.state == store::LinkState::linked) ++incoming[link.remote_id];
    }
    EXPECT_TRUE(items(side, "drafts").empty());
    // Invitations and answers to them are mail, too.
    std::map<std::string, int> received;
    for (const char* folder : {"inbox", "inbox/Projects"})
      for (const std::string& id : items(side, folder)) ++received[id];
    EXPECT_EQ(incoming, received) << "every message that was received is one record";
    compare(side, RecordKind::contact, "contacts", "surname", "contacts:Surname");
    compare(side, RecordKind::task, "tasks", "subject", "item:Subject");
    compare(side, RecordKind::appointment, "calendar", "subject", "item:Subject");
  }

  std::string conflicts(ExchangeOrganisation& organisation) {
    auto entries = organisation.store()
                       .read<std::vector<store::JournalEntry>>([&](store::Transaction& transaction) {
                         return store::list_journal(transaction, {.event = "conflict", .most = 100'000});
                       })
                       .value();
    std::string all;
    for (const store::JournalEntry& entry : entries) all += entry.detail + "\n";
    return all;
  }

  void compare(Side& side, RecordKind kind, const char* folder, const char* key, const char* uri) {
    ExchangeOrganisation& organisation = *side.organisation;
    std::map<std::string, std::string> by_key;
    for (const std::string& id : items(side, folder)) {
      const std::string name = server_.property(side.address, id, uri);
      EXPECT_TRUE(by_key.emplace(name, id).second) << name << " is twice on the server";
    }
    std::set<std::string> seen;
    const std::string journal = conflicts(organisation);
    for (const model::Record& record : organisation.records(kind)) {
      const std::string name = text_in(record.fields, key);
      SCOPED_TRACE(std::string(to_string(kind)) + " " + name);
      EXPECT_TRUE(seen.insert(name).second) << "twice as a record";
      for (const store::Link& link : organisation.links(record.id)) {
        if (link.state != store::LinkState::linked) continue;
        ASSERT_TRUE(by_key.contains(name)) << "a link to nothing";
        EXPECT_EQ(by_key[name], link.remote_id);
        const RemoteItem item = organisation.read(kind, link.remote_id);
        for (const model::FieldInfo& field : model::fields_of(kind)) {
          if (organisation.settings.policies.direction_of(kind, field) != model::Direction::both) continue;
          const auto* here = record.fields.if_contains(field.name);
          const auto* there = item.fields.if_contains(field.name);
          EXPECT_TRUE(model::same_value(field, here == nullptr ? boost::json::value() : *here,
                                        there == nullptr ? boost::json::value() : *there))
              << field.name << ": " << field_text(record.fields, field.name) << " here, "
              << field_text(item.fields, field.name) << " there";
        }
        for (const auto& [edited, values] : side.standing) {
          if (!edited.starts_with(name + ".")) continue;
          const std::string field = edited.substr(name.size() + 1);
          for (const std::string& value : values)
            EXPECT_TRUE(text_in(record.fields, field) == value ||
                        journal.find("\"" + value + "\"") != std::string::npos)
                << "the edit of " << field << " to " << value << " is lost";
        }
        by_key.erase(name);
      }
    }
    // What is on the server alone was parted, and the journal says so.
    if (!by_key.empty()) {
      EXPECT_FALSE(organisation.journal("unlinked").empty()) << by_key.begin()->first << " has no record";
    }
  }

  SeededRandom random_;
  ExchangeWorld server_;
  std::vector<Side> sides_;
  int made_ = 0;
};

TEST(Simulation, overEwsBothSidesAreEqualWhenItIsQuiet) {
  const auto [first, last] = seeds();
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Play play(seed);
    play.play();
    if (::testing::Test::HasFailure()) {
      std::printf("SYNCLINE_SEEDS=%llu plays this again\n", static_cast<unsigned long long>(seed));
      return;
    }
  }
}

}  // namespace
}  // namespace syncline::sync::testing
