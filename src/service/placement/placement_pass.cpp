// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/placement/placement_pass.hpp"

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "base/log.hpp"
#include "base/text.hpp"
#include "net/cancel.hpp"
#include "routing/rules/intake/exchange_facts.hpp"
#include "service/alerts/all_clear.hpp"
#include "service/engine/exchange_connection.hpp"
#include "service/engine/mailbox_state.hpp"
#include "service/organisation/mailbox_administration.hpp"
#include "service/organisation/mailbox_gate.hpp"
#include "service/organisation/organisation.hpp"
#include "store/journal.hpp"
#include "store/placements.hpp"

namespace syncline::service {
namespace {

namespace asio = net::asio;
namespace json = boost::json;
using What = PlacementResult::What;

constexpr std::string_view moved_alert = "mailbox-moved";

/// What the rules are told of a mailbox instead of what was stated.
Facts facts_for_rules(const model::MailboxFacts& found) {
  Facts facts;
  if (found.location == model::MailboxLocation::online) facts["mbx_host"] = "exchange_online";
  if (found.location == model::MailboxLocation::on_premises) facts["mbx_host"] = "exchange_onprem";
  if (found.location == model::MailboxLocation::on_premises && found.server_version)
    if (const auto version = rules::exchange_version(*found.server_version))
      facts["mbx_exchange_version"] = std::string(rules::to_string(*version));
  return facts;
}

std::string facts_json(const model::MailboxFacts& facts) {
  return json::serialize(json::object{{"location", model::to_string(facts.location)},
                                      {"cloud", facts.cloud},
                                      {"endpoint", facts.ews_endpoint},
                                      {"serverVersion", facts.server_version.value_or("")},
                                      {"serverType", facts.server_type},
                                      {"primaryAddress", facts.primary_address},
                                      {"foundBy", facts.found_by}});
}

std::string rejecting(const Judged& judged) {
  std::string ids;
  for (const rules::Finding& finding : judged.judgement.findings)
    if (finding.severity == rules::Severity::reject)
      ids += (ids.empty() ? "" : ", ") + std::string(finding.rule->id);
  return ids;
}

class PlacementPass {
 public:
  PlacementPass(asio::any_io_executor executor, Organisation& organisation, PlacementWishes wishes,
                Actor actor)
      : executor_(executor),
        organisation_(organisation),
        wishes_(std::move(wishes)),
        actor_(std::move(actor)),
        connections_(wishes_.connections ? wishes_.connections : std::make_shared<Connections>(executor)) {}

  Async<std::vector<PlacementResult>> run() {
    if (auto read = read_configuration(); !read) co_return fail(std::move(read.error()));
    if (auto met = connections_->require(stored_.configuration.organisation.environment); !met)
      co_return fail(std::move(met.error()));
    std::vector<std::string> wanted;
    for (const std::string& address : wishes_.addresses) wanted.push_back(text::to_lower_ascii(address));
    for (const model::Mailbox& mailbox : stored_.configuration.mailboxes) {
      if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), mailbox.address) == wanted.end())
        continue;
      PlacementResult result{.address = mailbox.address};
      if (const model::Profile* profile = stored_.configuration.profile_of(mailbox)) {
        result.profile = profile->name;
        if (!is_on_exchange(*profile)) {
          result.text = "it is not on Exchange";
          result.is_answered = true;
        }
      }
      results_.push_back(std::move(result));
    }
    const std::size_t workers =
        std::min(std::max<std::size_t>(1, wishes_.at_once), std::max<std::size_t>(1, results_.size()));
    asio::experimental::channel<void(boost::system::error_code)> ended(executor_, workers);
    std::vector<std::shared_ptr<asio::cancellation_signal>> cuts;
    for (std::size_t i = 0; i < workers; ++i) {
      cuts.push_back(std::make_shared<asio::cancellation_signal>());
      asio::co_spawn(executor_, work(),
                     asio::bind_cancellation_slot(cuts.back()->slot(), [&ended](const std::exception_ptr&) {
                       ended.try_send(boost::system::error_code());
                     }));
    }
    if (wishes_.stop)
      wishes_.stop->on_want([&] {
        for (const auto& cut : cuts) net::emit_cancellation(executor_, *cut, cut);
      });
    for (std::size_t i = 0; i < workers; ++i) co_await ended.async_receive(asio::use_awaitable);
    if (wishes_.stop) wishes_.stop->on_want({});
    if (trouble_) co_return fail(std::move(*trouble_));
    co_return std::move(results_);
  }

 private:
  asio::awaitable<void> work() {
    while (next_ < results_.size() && !trouble_ && !is_stopping()) {
      PlacementResult& result = results_[next_++];
      if (!result.text.empty()) continue;
      const Result<void> done = co_await look(result);
      if (!done) trouble_ = done.error();
    }
  }

  bool is_stopping() const { return wishes_.stop && wishes_.stop->is_wanted(); }

  Result<void> read_configuration() {
    // Acts first: whatever comes between the two is seen as one that came later.
    if (auto acted = note_acts(); !acted) return fail(std::move(acted.error()));
    auto loaded = organisation_.load();
    if (!loaded) return fail(std::move(loaded.error()));
    stored_ = std::move(*loaded);
    assignments_.emplace(stored_.configuration, stored_, organisation_.today());
    gate_.emplace(stored_, organisation_.today());
    return {};
  }

  /// Whether administrators have acted since the last time.
  Result<bool> note_acts() {
    auto last = organisation_.store().read<std::int64_t>(
        [](store::Transaction& transaction) { return store::last_audit(transaction); });
    if (!last) return fail(std::move(last.error()));
    return std::exchange(seen_audit_, *last) != *last;
  }

  /// While a server was asked somebody may have given the mailbox another profile, or taken it away. False:
  /// there is nothing to conclude any more.
  Result<bool> is_still_asked(const PlacementResult& result) {
    auto acted = note_acts();
    if (!acted) return fail(std::move(acted.error()));
    if (!*acted) return true;
    if (auto read = read_configuration(); !read) return fail(std::move(read.error()));
    const model::Mailbox* mailbox = stored_.configuration.mailbox_of(result.address);
    const model::Profile* profile = mailbox == nullptr ? nullptr : stored_.configuration.profile_of(*mailbox);
    return profile != nullptr && profile->name == result.profile &&
           stored_.mailboxes.contains(result.address);
  }

  Async<void> look(PlacementResult& result) {
    auto admitted = gate_->admit_for_test(result.address);
    if (!admitted) {
      result.text = admitted.error().message;
      result.is_answered = true;
      co_return Result<void>{};
    }
    if (wishes_.on_begin) wishes_.on_begin(result.address);
    auto found = co_await discover_mailbox(organisation_, *connections_, *admitted);
    if (is_stopping() && !found) {
      result.text = "the look at it was cut off";
      co_return Result<void>{};
    }
    const auto still = is_still_asked(result);
    if (!still) co_return fail(still.error());
    if (!*still) {
      result.text = "its assignment was changed meanwhile";
      co_return Result<void>{};
    }
    if (!found) {
      if (found.error().domain == ErrorDomain::local) co_return fail(std::move(found.error()));
      result.what = What::not_found;
      result.text = found.error().describe();
      co_return note(result);
    }
    result.facts = std::move(*found);
    judge(result);
    if (result.what == What::elsewhere && wishes_.follow_moves)
      if (auto followed = follow(result); !followed) co_return followed;
    co_return note(result);
  }

  /// The assignment to `profile` (empty: its own), by what was found.
  Judged judged_by_facts(const PlacementResult& result, const std::string& profile) const {
    model::Mailbox mailbox = *stored_.configuration.mailbox_of(result.address);
    for (auto& [field, value] : facts_for_rules(*result.facts)) mailbox.facts[field] = value;
    if (!profile.empty()) mailbox.profile = profile;
    return assignments_->judge(mailbox, rules::Word::enable);
  }

  void judge(PlacementResult& result) const {
    result.judged = judged_by_facts(result, {});
    result.what = result.judged->rejected() ? What::elsewhere : What::fits;
    result.text = "it lives on " + result.facts->server_type;
    if (result.what == What::elsewhere)
      result.text += ", where the profile does not lead; by these facts the rules reject it: " +
                     rejecting(*result.judged);
  }

  /// Exactly one other profile that the rules accept is taken.
  Result<void> follow(PlacementResult& result) {
    std::vector<std::string> fitting;
    for (const model::Profile& profile : stored_.configuration.profiles)
      if (profile.name != result.profile && is_on_exchange(profile) &&
          !judged_by_facts(result, profile.name).rejected())
        fitting.push_back(profile.name);
    if (fitting.size() != 1) {
      result.text += fitting.empty() ? "; no other profile fits" : "; more than one other profile fits";
      return {};
    }
    std::vector<SettingChange> changes = {{"profile", json::value(fitting.front())}};
    for (const auto& [field, value] : facts_for_rules(*result.facts))
      changes.push_back({field.substr(field.find('_') + 1), json::value(value)});
    const std::string why =
        "it lives on " + result.facts->server_type + ", where " + result.profile + " does not lead";
    auto applied = set_mailboxes(organisation_, {result.address}, changes, false,
                                 {.who = actor_.who, .reason = actor_.reason.empty() ? why : actor_.reason});
    if (!applied) return fail(std::move(applied.error()));
    if (!applied->applied) {
      result.text += "; its assignment to " + fitting.front() + " is refused";
      return {};
    }
    result.text = why;
    result.reassigned_to = fitting.front();
    result.what = What::fits;
    return {};
  }

  /// Enabled again first; only then nothing is left to be done by a later pass. False: something stands in
  /// the way, and it stays parked.
  Result<bool> let_go_on(PlacementResult& result, store::MailboxId id) {
    auto known = organisation_.store().read<std::optional<store::Placement>>(
        [&](store::Transaction& transaction) { return store::find_placement(transaction, id); });
    if (!known) return fail(std::move(known.error()));
    if (!*known || !(*known)->parked_at) return true;
    auto done = administer(organisation_, MailboxAct::enable, {result.address},
                           {.who = actor_.who, .reason = result.text});
    if (!done) return fail(std::move(done.error()));
    const auto& obstacle = done->front().obstacle;
    if (obstacle) result.text += "; it is not enabled again: " + obstacle->message;
    return !obstacle;
  }

  /// Facts, parking and who is told, in one transaction.
  Result<void> note(PlacementResult& result) {
    const auto standing = stored_.mailboxes.find(result.address);
    const SystemTime now = organisation_.clock().now();
    Result<bool> goes_on =
        result.what == What::fits ? let_go_on(result, standing->second.id) : Result<bool>(false);
    if (!goes_on) return fail(std::move(goes_on.error()));
    auto noted = organisation_.store().write<void>([&](store::Transaction& transaction) -> Result<void> {
      auto before = store::find_placement(transaction, standing->second.id);
      if (!before) return fail(std::move(before.error()));
      store::Placement placement = before->value_or(store::Placement{.mailbox = standing->second.id});
      const bool was_parked = placement.parked_at.has_value();
      placement.looked_at = now;
      placement.state = result.what;
      placement.text = result.text;
      if (!result.reassigned_to.empty())
        placement.text += "; it has the profile " + result.reassigned_to + " now";
      if (result.facts) placement.facts = facts_json(*result.facts);
      // Only what is synchronised has to be stopped.
      if (result.what == What::elsewhere && !was_parked && standing->second.enabled) {
        placement.parked_at = now;
        placement.parked_why = result.text;
      }
      if (*goes_on) {
        placement.parked_at = std::nullopt;
        placement.parked_why.clear();
      }
      result.parked = placement.parked_at.has_value();
      result.changed = was_parked != result.parked;
      if (auto put = store::put_placement(transaction, placement); !put) return put;
      if (!result.changed) return {};
      auto audited =
          store::append_audit(transaction, {.who = actor_.who,
                                            .act = result.parked ? "mailbox.park" : "mailbox.unpark",
                                            .object = "mailbox " + result.address,
                                            .reason = result.text});
      if (!audited) return audited;
      if (!result.parked)
        return settle_with_word(
            transaction, standing->second.id, moved_alert,
            {.code = std::string(mailbox_goes_on), .text = result.address + " goes on: " + result.text});
      return store::raise_alert(
          transaction,
          {.mailbox = standing->second.id,
           .level = store::AlertLevel::error,
           .code = std::string(moved_alert),
           .text = result.address + " is parked: " + result.text,
           .remedy = "Give it a profile that leads there (mailbox set profile=NAME), or syncline "
                     "discover --all --follow-moves; then it goes on."});
    });
    if (!noted) return noted;
    result.is_answered = true;
    if (result.parked && standing->second.enabled) {
      // Parked is disabled until it fits again: the gate keeps everything away from it. A pass that was
      // killed before this is made good by the next.
      auto done = administer(organisation_, MailboxAct::disable, {result.address},
                             {.who = actor_.who, .reason = result.text});
      if (!done) return fail(std::move(done.error()));
    }
    // The next run goes where it was found.
    if (result.facts && !result.parked) return remember_endpoint(organisation_, *result.facts);
    return {};
  }

  asio::any_io_executor executor_;
  Organisation& organisation_;
  PlacementWishes wishes_;
  Actor actor_;
  std::shared_ptr<Connections> connections_;
  StoredOrganisation stored_;
  std::int64_t seen_audit_ = 0;
  std::optional<Assignments> assignments_;
  std::optional<MailboxGate> gate_;
  std::vector<PlacementResult> results_;
  std::size_t next_ = 0;
  std::optional<Error> trouble_;
};

}  // namespace

std::string describe(const PlacementResult& result) {
  std::string line(to_string(result.what));
  if (!result.text.empty()) line += ": " + result.text;
  if (!result.reassigned_to.empty()) line += "; it has the profile " + result.reassigned_to + " now";
  if (result.changed) line += result.parked ? "; parked" : "; goes on";
  return line;
}

void log_look(const PlacementResult& result) {
  const bool is_news = result.changed || !result.reassigned_to.empty();
  const log::Level level = result.what == What::elsewhere              ? log::Level::warning
                           : is_news || result.what == What::not_found ? log::Level::info
                                                                       : log::Level::debug;
  log::write(level, log::Ids{.mailbox = result.address}, describe(result));
}

Async<std::vector<PlacementResult>> look_for_mailboxes(asio::any_io_executor executor,
                                                       Organisation& organisation, PlacementWishes wishes,
                                                       Actor actor) {
  PlacementPass pass(executor, organisation, std::move(wishes), std::move(actor));
  co_return co_await pass.run();
}

}  // namespace syncline::service
