// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/alerts/alert_desk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <map>
#include <set>

#include "base/text.hpp"
#include "service/alerts/all_clear.hpp"
#include "service/organisation/last_run.hpp"
#include "service/organisation/organisation.hpp"
#include "store/operations.hpp"
#include "sync/orders.hpp"
#include "time/civil.hpp"

namespace syncline::service {
namespace {

namespace json = boost::json;
using store::Alert;
using store::AlertLevel;
using store::AlertMessage;
using store::AlertMessageState;
using store::Transaction;

constexpr std::string_view failing_alert = "mailbox-failing";
constexpr std::string_view group_prefix = "profile-failing:";
constexpr int messages_at_once = 100;

std::string_view word_of(AlertLevel level) noexcept {
  switch (level) {
    case AlertLevel::information:
      return "information";
    case AlertLevel::warning:
      return "warning";
    case AlertLevel::error:
      return "error";
  }
  return {};
}

/// Everything that is decided on, as of one moment.
class Look {
 public:
  Look(Transaction& transaction, const AlertDeskSettings& settings, StoredOrganisation stored,
       const Clock& clock, const std::vector<MailboxTurn>& turns)
      : transaction_(transaction),
        settings_(settings),
        stored_(std::move(stored)),
        now_(clock.now()),
        steady_now_(clock.steady_now()) {
    for (const MailboxTurn& turn : turns) turns_.emplace(turn.address, &turn);
  }

  Result<void> run() {
    if (auto read = read_alerts(); !read) return read;
    if (auto done = forget_old_information(); !done) return done;
    if (auto done = watch_mailboxes(); !done) return done;
    if (auto done = watch_profiles(); !done) return done;
    auto notes = store::list_alert_notes(transaction_);
    if (!notes) return fail(std::move(notes.error()));
    for (const Alert& alert : alerts_)
      if (!notes->contains(alert.id) && !is_all_clear(alert.code))
        if (auto done = tell(alert); !done) return done;
    return {};
  }

 private:
  Result<void> read_alerts() {
    auto open = store::list_alerts(transaction_, true);
    if (!open) return fail(std::move(open.error()));
    alerts_ = std::move(*open);
    by_mailbox_.clear();
    for (const Alert& alert : alerts_) by_mailbox_[alert.mailbox].push_back(&alert);
    return {};
  }

  const Alert* find(store::MailboxId mailbox, std::string_view code) const {
    const auto found = by_mailbox_.find(mailbox);
    if (found == by_mailbox_.end()) return nullptr;
    for (const Alert* alert : found->second)
      if (alert->code == code) return alert;
    return nullptr;
  }

  /// Raised once for as long as it lasts; `over` says when it has ended.
  Result<void> hold(bool wanted, const Alert& alert, Alert over, bool silent = false) {
    const bool open = find(alert.mailbox, alert.code) != nullptr;
    if (wanted == open) return {};
    changed_ = true;
    if (!wanted) return settle_with_word(transaction_, alert.mailbox, alert.code, std::move(over), silent);
    // Its good news of last time are none any more.
    if (auto cleared = store::clear_alert(transaction_, alert.mailbox, over.code); !cleared) return cleared;
    return store::raise_alert(transaction_, alert);
  }

  Result<void> forget_old_information() {
    for (const Alert& alert : alerts_) {
      if (alert.level != AlertLevel::information || now_ - alert.at < settings_.information_kept) continue;
      if (auto cleared = store::clear_alert(transaction_, alert.mailbox, alert.code); !cleared)
        return cleared;
      changed_ = true;
    }
    return changed_ ? read_again() : Result<void>{};
  }

  const MailboxTurn* turn_of(const std::string& address) const {
    const auto found = turns_.find(address);
    return found == turns_.end() ? nullptr : found->second;
  }
  bool is_long(const std::optional<SteadyTime>& since) const {
    return since && steady_now_ - *since >= settings_.patience;
  }

  Result<void> watch_mailboxes() {
    for (const model::Mailbox& mailbox : stored_.configuration.mailboxes) {
      const MailboxStanding& standing = stored_.mailboxes.at(mailbox.address);
      const LastRun state = read_last_run(standing.state);
      const bool long_enough = !state.succeeded_at || now_ - *state.succeeded_at >= settings_.failing_after;
      const bool failing =
          standing.enabled && state.failed && state.errors_in_a_row >= settings_.failing_runs && long_enough;
      const bool may_settle = !standing.enabled || !state.failed;
      const Alert* open = find(standing.id, failing_alert);
      if (!failing && !(open != nullptr && may_settle)) continue;
      auto silent = open == nullptr ? Result<bool>(true) : is_nobody_s_news(*open, standing);
      if (!silent) return fail(std::move(silent.error()));
      auto held = hold(failing,
                       {.mailbox = standing.id,
                        .level = AlertLevel::error,
                        .code = std::string(failing_alert),
                        .text = fmt::format("{} is not synchronised: {}", mailbox.address, state.error_text),
                        .remedy = fmt::format("syncline mailbox test {} names the cause.", mailbox.address)},
                       {.code = std::string(mailbox_works_again),
                        .text = fmt::format("{} is synchronised again", mailbox.address)},
                       *silent);
      if (!held) return held;
    }
    return changed_ ? read_again() : Result<void>{};
  }

  /// Another alert has said for many that it failed, and says for them that it is over; or it was disabled.
  Result<bool> is_nobody_s_news(const Alert& trouble, const MailboxStanding& standing) {
    if (!standing.enabled) return true;
    auto messages = store::messages_of_alert(transaction_, trouble.id);
    if (!messages) return fail(std::move(messages.error()));
    return std::any_of(messages->begin(), messages->end(), [](const AlertMessage& message) {
      return message.state == AlertMessageState::covered;
    });
  }

  Result<void> read_again() {
    changed_ = false;
    return read_alerts();
  }

  /// Mailboxes of each profile that an error is about, of late.
  Result<void> watch_profiles() {
    struct Count {
      std::size_t enabled = 0;
      std::size_t failing = 0;
      std::size_t unheard = 0;  ///< of: they have not had a run since the start
      bool is_server_out = false;
    };
    std::map<std::string, Count> counts;
    for (const model::Profile& profile : stored_.configuration.profiles) counts[profile.name];
    for (const model::Mailbox& mailbox : stored_.configuration.mailboxes) {
      const model::Profile* profile = stored_.configuration.profile_of(mailbox);
      const MailboxStanding& standing = stored_.mailboxes.at(mailbox.address);
      if (profile == nullptr || !standing.enabled) continue;
      profile_of_[standing.id] = profile->name;
      Count& count = counts[profile->name];
      ++count.enabled;
      const auto found = by_mailbox_.find(standing.id);
      const bool is_alert =
          found != by_mailbox_.end() &&
          std::any_of(found->second.begin(), found->second.end(), [&](const Alert* alert) {
            return alert->level == AlertLevel::error && now_ - alert->at <= settings_.group_window;
          });
      const MailboxTurn* turn = turn_of(mailbox.address);
      const bool is_out = turn != nullptr && is_long(turn->server_out_since);
      count.is_server_out = count.is_server_out || is_out;
      if (is_alert || is_out || (turn != nullptr && is_long(turn->failing_since)))
        ++count.failing;
      else if (turn != nullptr && !turn->has_run)
        ++count.unheard;
    }
    for (const auto& [name, count] : counts) {
      const std::string code = std::string(group_prefix) + name;
      const bool open = find(0, code) != nullptr;
      // Settled when less than a quarter is left, so that it does not come and go.
      const bool wanted = open
                              ? (count.failing + count.unheard) * 4 >= std::max<std::size_t>(1, count.enabled)
                              : count.failing >= settings_.group_least && count.failing * 2 >= count.enabled;
      auto held =
          hold(wanted,
               {.level = AlertLevel::error,
                .code = code,
                .text = count.is_server_out
                            ? fmt::format("the server of the profile {} does not answer: {} of {} "
                                          "mailboxes are not synchronised",
                                          name, count.failing, count.enabled)
                            : fmt::format("{} of {} mailboxes of the profile {} have failed within an hour",
                                          count.failing, count.enabled, name),
                .remedy = "Look at the profile's server, its network and its credentials; the mailboxes "
                          "go on by themselves."},
               {.code = std::string(profile_works_again) + name,
                .text = fmt::format("the mailboxes of the profile {} are synchronised again", name)});
      if (!held) return held;
      if (wanted) grouped_.insert(name);
    }
    return changed_ ? read_again() : Result<void>{};
  }

  bool is_covered(const Alert& alert) const {
    const auto profile = profile_of_.find(alert.mailbox);
    return alert.level == AlertLevel::error && profile != profile_of_.end() &&
           grouped_.contains(profile->second);
  }

  struct Target {
    std::string channel;
    std::string address;
    friend bool operator<(const Target& a, const Target& b) {
      return std::pair(a.channel, a.address) < std::pair(b.channel, b.address);
    }
  };

  /// Whom an alert is for.
  std::set<Target> targets_of(const Alert& alert) const {
    std::set<Target> targets;
    const OrganisationSettings& organisation = stored_.configuration.organisation;
    if (organisation.alert_webhook) targets.insert({"webhook", *organisation.alert_webhook});
    if (alert.level == AlertLevel::information || !organisation.alert_mailbox) return targets;
    const std::string from = text::to_lower_ascii(*organisation.alert_mailbox);
    const auto sender = stored_.mailboxes.find(from);
    // Not through the very mailbox that it is about (invariant 18).
    if (sender == stored_.mailboxes.end() || !sender->second.enabled || sender->second.id == alert.mailbox)
      return targets;
    const model::Profile* profile = nullptr;
    if (alert.code.starts_with(group_prefix))
      profile = stored_.configuration.profile_named(std::string_view(alert.code).substr(group_prefix.size()));
    for (const model::Mailbox& mailbox : stored_.configuration.mailboxes) {
      if (alert.mailbox == 0 || stored_.mailboxes.at(mailbox.address).id != alert.mailbox) continue;
      profile = stored_.configuration.profile_of(mailbox);
      if (profile != nullptr && profile->alert_mail.value_or(false))
        targets.insert({"mail", text::to_lower_ascii(mailbox.record_owner())});
    }
    if (profile != nullptr && profile->alert_mail.value_or(false) && profile->owner)
      targets.insert({"mail", text::to_lower_ascii(*profile->owner)});
    return targets;
  }

  /// One message for each person and channel, once.
  Result<void> tell(const Alert& alert) {
    auto known = store::messages_of_alert(transaction_, alert.id);
    if (!known) return fail(std::move(known.error()));
    const bool covered = is_covered(alert);
    for (AlertMessage& message : *known) {
      if (!covered || message.state != AlertMessageState::waiting || message.attempts > 0) continue;
      message.state = AlertMessageState::covered;
      message.due_at = std::nullopt;
      if (auto kept = store::update_alert_message(transaction_, message); !kept) return kept;
    }
    for (const Target& target : targets_of(alert)) {
      const bool is_known = std::any_of(known->begin(), known->end(), [&](const AlertMessage& message) {
        return message.channel == target.channel && message.target == target.address;
      });
      if (is_known) continue;
      AlertMessage message{.alert = alert.id, .channel = target.channel, .target = target.address};
      if (covered)
        message.state = AlertMessageState::covered;
      else
        message.due_at = alert.mailbox == 0 ? now_ : now_ + settings_.patience;
      auto inserted = store::insert_alert_message(transaction_, message);
      if (!inserted) return fail(std::move(inserted.error()));
    }
    return {};
  }

  Transaction& transaction_;
  const AlertDeskSettings& settings_;
  StoredOrganisation stored_;
  SystemTime now_;
  SteadyTime steady_now_;
  std::map<std::string_view, const MailboxTurn*> turns_;
  std::vector<Alert> alerts_;
  std::map<store::MailboxId, std::vector<const Alert*>> by_mailbox_;
  std::map<store::MailboxId, std::string> profile_of_;
  std::set<std::string> grouped_;
  bool changed_ = false;
};

struct Telling {
  Alert alert;
  std::string mailbox = {};  ///< address; empty: of the organisation
  std::string organisation = {};
};

std::string webhook_body(const Telling& telling) {
  const Alert& alert = telling.alert;
  return json::serialize(
      json::object{{"organisation", telling.organisation},
                   {"id", std::to_string(alert.id)},
                   {"at", time::format_utc(std::chrono::floor<std::chrono::seconds>(alert.at))},
                   {"mailbox", telling.mailbox.empty() ? json::value() : json::value(telling.mailbox)},
                   {"level", word_of(alert.level)},
                   {"code", alert.code},
                   {"text", text::to_xml_text(alert.text)},
                   {"remedy", alert.remedy.empty() ? json::value() : json::value(alert.remedy)},
                   {"count", alert.count}});
}

sync::WriteOrder mail_of(const Telling& telling, const std::string& to, std::string operation_id) {
  const Alert& alert = telling.alert;
  sync::WriteOrder order{
      .what = sync::WriteOrder::What::send, .operation_id = std::move(operation_id), .is_automatic = true};
  const std::string whose = telling.mailbox.empty() ? telling.organisation : telling.mailbox;
  order.fields["subject"] = fmt::format("Syncline, {}: {}", word_of(alert.level), whose);
  order.fields["body"] = json::object{
      {"type", "text"},
      {"value", fmt::format("{}\r\n\r\n{}\r\n\r\nCode: {}. Seen: {} times, last at {}.\r\n"
                            "Syncline sends this by itself; answers are not read.\r\n",
                            text::to_xml_text(alert.text), alert.remedy, alert.code, alert.count,
                            time::format_utc(std::chrono::floor<std::chrono::seconds>(alert.at)))}};
  order.fields["toRecipients"] = json::array{json::object{{"emailAddress", to}}};
  return order;
}

/// What a message is about, if it is still worth telling.
Result<std::optional<Telling>> still_worth(Transaction& transaction, const AlertMessage& message) {
  auto open = store::list_alerts(transaction, true);
  if (!open) return fail(std::move(open.error()));
  const auto found =
      std::find_if(open->begin(), open->end(), [&](const Alert& alert) { return alert.id == message.alert; });
  if (found == open->end()) return std::nullopt;
  auto notes = store::list_alert_notes(transaction);
  if (!notes) return fail(std::move(notes.error()));
  if (notes->contains(message.alert)) return std::nullopt;
  Telling telling{.alert = *found};
  if (found->mailbox != 0) {
    auto mailbox = store::find_mailbox(transaction, found->mailbox);
    if (!mailbox) return fail(std::move(mailbox.error()));
    if (*mailbox) telling.mailbox = (*mailbox)->address;
  }
  return telling;
}

}  // namespace

Result<void> AlertDesk::look(const std::vector<MailboxTurn>& turns) {
  return organisation_.store().write<void>([&](Transaction& transaction) -> Result<void> {
    auto stored = load(transaction);
    if (!stored) return fail(std::move(stored.error()));
    return Look(transaction, settings_, std::move(*stored), organisation_.clock(), turns).run();
  });
}

/// Mail becomes an operation of the mailbox that sends it, in the transaction that says so here: it goes out
/// exactly once, as any other mail.
Result<void> AlertDesk::hand_over(AlertMessage message) {
  std::string wanted;
  auto handed = organisation_.store().write<void>([&](Transaction& transaction) -> Result<void> {
    auto stored = load(transaction);
    if (!stored) return fail(std::move(stored.error()));
    auto telling = still_worth(transaction, message);
    if (!telling) return fail(std::move(telling.error()));
    message.due_at = std::nullopt;
    message.state = AlertMessageState::dropped;
    const auto& from = stored->configuration.organisation.alert_mailbox;
    const auto sender = from ? stored->mailboxes.find(text::to_lower_ascii(*from)) : stored->mailboxes.end();
    // Never through the mailbox that it is about.
    if (*telling && sender != stored->mailboxes.end() && sender->second.enabled &&
        sender->second.id != (*telling)->alert.mailbox) {
      wanted = sender->first;
      (*telling)->organisation = stored->configuration.organisation.name;
      sync::StoredOrder order{.order = mail_of(**telling, message.target, organisation_.random().uuid())};
      const store::Operation operation{.id = order.order.operation_id,
                                       .mailbox = sender->second.id,
                                       .what = std::string(sync::to_string(order.order.what)),
                                       .order = sync::to_json(order),
                                       .created_at = organisation_.clock().now()};
      if (auto inserted = store::insert_operation(transaction, operation); !inserted) return inserted;
      message.operation = operation.id;
      message.state = AlertMessageState::sent;
    }
    return store::update_alert_message(transaction, message);
  });
  if (handed && !wanted.empty() && wake_) wake_(wanted);
  return handed;
}

Async<void> AlertDesk::deliver() {
  auto due = organisation_.store().read<std::vector<AlertMessage>>(
      [&](Transaction& transaction) { return store::due_alert_messages(transaction, messages_at_once); });
  if (!due) co_return fail(std::move(due.error()));
  for (AlertMessage& message : *due) {
    if (is_stopping_) break;
    if (message.channel == "mail") {
      if (auto handed = hand_over(std::move(message)); !handed) co_return handed;
      continue;
    }
    if (!post_) continue;
    std::optional<Telling> telling;
    auto looked = organisation_.store().read<void>([&](Transaction& transaction) -> Result<void> {
      auto stored = load(transaction);
      if (!stored) return fail(std::move(stored.error()));
      auto found = still_worth(transaction, message);
      if (!found) return fail(std::move(found.error()));
      telling = std::move(*found);
      if (telling) telling->organisation = stored->configuration.organisation.name;
      return {};
    });
    if (!looked) co_return looked;
    const SystemTime now = organisation_.clock().now();
    message.due_at = std::nullopt;
    if (!telling) {
      message.state = AlertMessageState::dropped;
    } else {
      ++message.attempts;
      std::string url = message.target;
      std::string body = webhook_body(*telling);
      const Result<void> posted = co_await post_(std::move(url), std::move(body));
      if (posted) {
        message.state = AlertMessageState::sent;
        message.error.clear();
      } else {
        message.error = posted.error().describe();
        const bool give_up =
            posted.error().retry == RetryClass::never || now - message.created_at > settings_.give_up_after;
        message.state = give_up ? AlertMessageState::failed : AlertMessageState::waiting;
        std::chrono::milliseconds pause = settings_.first_pause;
        for (int i = 1; i < message.attempts && pause < settings_.longest_pause; ++i) pause *= 2;
        if (!give_up) message.due_at = now + std::min(pause, settings_.longest_pause);
      }
    }
    auto kept = organisation_.store().write<void>(
        [&](Transaction& transaction) { return store::update_alert_message(transaction, message); });
    if (!kept) co_return kept;
  }
  co_return Result<void>{};
}

}  // namespace syncline::service
