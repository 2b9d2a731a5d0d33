// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/engine/mailbox_state.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>

#include "base/text.hpp"
#include "service/organisation/damaged_secret.hpp"
#include "service/organisation/organisation.hpp"
#include "store/configuration.hpp"
#include "store/journal.hpp"
#include "sync/sign_in.hpp"

namespace syncline::service {
namespace {

namespace json = boost::json;

constexpr std::chrono::hours discovery_lifetime{12};
constexpr std::chrono::days sent_copies_lifetime{30};

std::int64_t milliseconds(SystemTime at) {
  return at.time_since_epoch().count();
}

std::string setting_name(std::string_view address) {
  return "endpoint:" + text::to_lower_ascii(address);
}

std::string sent_copies_name(std::string_view address) {
  return "sent-copies:" + text::to_lower_ascii(address);
}

json::object parsed(const std::string& text) {
  boost::system::error_code bad;
  json::value value = json::parse(text, bad);
  if (bad || !value.is_object()) return {};
  return std::move(value.get_object());
}

json::object kinds_of(const sync::MailboxSummary& summary) {
  json::object kinds;
  for (const model::RecordKind kind : model::record_kinds) {
    const sync::KindCounts& counts = summary.of(kind);
    kinds[model::to_string(kind)] = json::object{{"came", counts.came},
                                                 {"changedHere", counts.changed_here},
                                                 {"went", counts.went},
                                                 {"changedThere", counts.changed_there},
                                                 {"conflicts", counts.conflicts}};
  }
  return kinds;
}

/// A tenant, a mailbox or an application that may not use Exchange Web Services gets a 403. Where it is not
/// empty or a page it says so itself.
constexpr std::string_view switched_off_alert = "ews-disabled";
constexpr std::string_view forbidden_alert = "access-forbidden";

Result<void> tell_of_switch_off(store::Transaction& transaction, store::MailboxId mailbox,
                                const std::string& address, const Result<sync::MailboxSummary>& outcome) {
  if (outcome) {
    if (auto done = store::clear_alert(transaction, mailbox, switched_off_alert); !done) return done;
    return store::clear_alert(transaction, mailbox, forbidden_alert);
  }
  const Error& error = outcome.error();
  const bool is_off = error.code == "ews-disabled";
  if (!is_off && !(error.domain == ErrorDomain::http && error.code == "forbidden")) return {};
  // What was only suspected may be said by now, or the other way round.
  if (auto done = store::clear_alert(transaction, mailbox, is_off ? forbidden_alert : switched_off_alert);
      !done)
    return done;
  return store::raise_alert(
      transaction,
      {.mailbox = mailbox,
       .level = store::AlertLevel::error,
       .code = std::string(is_off ? switched_off_alert : forbidden_alert),
       .text = address + ": " + error.describe(),
       .remedy =
           "Have an Exchange administrator look at EWSEnabled of the organisation and of the mailbox, at "
           "EWSAllowedAppIDs and at the application's access policies. Exchange Online switches Exchange "
           "Web Services off from 2026-10-01 on and for good on 2027-04-01 (syncline readiness)."});
}

bool is_damaged_secret(const json::object& state) {
  const json::value* error = state.if_contains("error");
  return error != nullptr && error->is_object() &&
         model::text_of(error->get_object(), "code") == secret_damaged;
}

/// What the vault holds for a run can be opened, or not; told when it begins and ends to be so.
Result<void> tell_of_damaged_secret(store::Transaction& transaction, const store::MailboxRow& mailbox,
                                    const Result<sync::MailboxSummary>& outcome, bool was_damaged) {
  if (outcome || outcome.error().code != secret_damaged)
    return was_damaged ? store::clear_alert(transaction, mailbox.id, secret_damaged) : Result<void>();
  if (was_damaged) return {};
  return store::raise_alert(
      transaction,
      {.mailbox = mailbox.id,
       .level = store::AlertLevel::error,
       .code = std::string(secret_damaged),
       .text = mailbox.address + " cannot sign in: " + outcome.error().describe(),
       .remedy = "Set it again (syncline secret set; a sign-in: syncline auth login), and find out what "
                 "changed the store: a disk, or a person. A backup has it as it was."});
}

}  // namespace

Result<void> remember_run(Organisation& organisation, store::MailboxId mailbox, SystemTime started_at,
                          const Result<sync::MailboxSummary>& outcome) {
  const SystemTime now = organisation.clock().now();
  std::string address;
  auto kept = organisation.store().write<void>([&](store::Transaction& transaction) -> Result<void> {
    auto row = store::find_mailbox(transaction, mailbox);
    if (!row) return fail(std::move(row.error()));
    if (!*row) return {};
    address = (*row)->address;
    json::object state = parsed((*row)->state);
    const json::value* before = state.if_contains("errorsInARow");
    const std::int64_t errors = before != nullptr && before->is_int64() ? before->get_int64() : 0;
    const bool was_damaged = is_damaged_secret(state);
    state["startedAt"] = milliseconds(started_at);
    state["endedAt"] = milliseconds(now);
    state["outcome"] = outcome ? "done" : "failed";
    state["errorsInARow"] = outcome ? 0 : errors + 1;
    if (outcome) {
      state["succeededAt"] = milliseconds(now);
      state["error"] = nullptr;
      state["last"] = kinds_of(*outcome);
      state["waiting"] = outcome->waiting;
    } else {
      state["error"] = json::object{{"code", outcome.error().code},
                                    {"message", text::to_xml_text(outcome.error().describe())},
                                    {"retry", to_string(outcome.error().retry)}};
    }
    if (auto put = store::put_mailbox_state(transaction, mailbox, json::serialize(state)); !put) return put;
    if (auto told = tell_of_switch_off(transaction, mailbox, address, outcome); !told) return told;
    return tell_of_damaged_secret(transaction, **row, outcome, was_damaged);
  });
  if (!kept || address.empty()) return kept;
  // A token that could not be had ends a run before the heart begins.
  return sync::tell_of_sign_in(organisation.store(), mailbox, address, outcome);
}

Result<std::optional<KnownEndpoint>> known_endpoint(Organisation& organisation, std::string_view address) {
  auto setting = organisation.store().read<std::optional<std::string>>([&](store::Transaction& transaction) {
    return store::find_setting(transaction, setting_name(address));
  });
  if (!setting) return fail(std::move(setting.error()));
  if (!*setting) return std::nullopt;
  const json::object found = parsed(**setting);
  const json::value* url = found.if_contains("url");
  const json::value* at = found.if_contains("foundAt");
  if (url == nullptr || !url->is_string() || url->get_string().empty() || at == nullptr || !at->is_int64())
    return std::nullopt;
  const SystemTime found_at{std::chrono::milliseconds(at->get_int64())};
  if (organisation.clock().now() - found_at > discovery_lifetime) return std::nullopt;
  return KnownEndpoint{.url = std::string(url->get_string()),
                       .grouping_information = std::string(model::text_of(found, "grouping"))};
}

Result<void> remember_endpoint(Organisation& organisation, const model::MailboxFacts& facts) {
  const std::string text =
      json::serialize(json::object{{"url", facts.ews_endpoint},
                                   {"grouping", facts.grouping_information},
                                   {"location", model::to_string(facts.location)},
                                   {"version", facts.server_version.value_or("")},
                                   {"foundAt", milliseconds(organisation.clock().now())}});
  auto kept = organisation.store().write<void>([&](store::Transaction& transaction) -> Result<void> {
    return store::put_setting(transaction, setting_name(facts.address), text);
  });
  return kept;
}

Result<std::optional<bool>> known_sent_copies(Organisation& organisation, std::string_view address,
                                              std::string_view smtp_host) {
  auto setting = organisation.store().read<std::optional<std::string>>([&](store::Transaction& transaction) {
    return store::find_setting(transaction, sent_copies_name(address));
  });
  if (!setting) return fail(std::move(setting.error()));
  if (!*setting) return std::nullopt;
  const json::object learned = parsed(**setting);
  const json::value* host = learned.if_contains("host");
  const json::value* saves = learned.if_contains("serverSaves");
  const json::value* at = learned.if_contains("learnedAt");
  if (host == nullptr || *host != json::value(smtp_host) || saves == nullptr || !saves->is_bool() ||
      at == nullptr || !at->is_int64())
    return std::nullopt;
  const SystemTime learned_at{std::chrono::milliseconds(at->get_int64())};
  if (organisation.clock().now() - learned_at > sent_copies_lifetime) return std::nullopt;
  return saves->get_bool();
}

Result<void> remember_sent_copies(Organisation& organisation, std::string_view address,
                                  std::string_view smtp_host, bool server_saves) {
  const std::string text =
      json::serialize(json::object{{"host", smtp_host},
                                   {"serverSaves", server_saves},
                                   {"learnedAt", milliseconds(organisation.clock().now())}});
  auto kept = organisation.store().write<void>([&](store::Transaction& transaction) -> Result<void> {
    return store::put_setting(transaction, sent_copies_name(address), text);
  });
  return kept;
}

Result<void> forget_endpoint(Organisation& organisation, std::string_view address) {
  auto kept = organisation.store().write<void>([&](store::Transaction& transaction) -> Result<void> {
    auto setting = store::find_setting(transaction, setting_name(address));
    if (!setting) return fail(std::move(setting.error()));
    if (!*setting || **setting == "{}") return {};
    return store::put_setting(transaction, setting_name(address), "{}");
  });
  return kept;
}

}  // namespace syncline::service
