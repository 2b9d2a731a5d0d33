// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/mailbox_run.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "store/configuration.hpp"
#include "sync/deletes.hpp"
#include "sync/folder_pull.hpp"
#include "sync/incoming.hpp"
#include "sync/operations.hpp"
#include "sync/outgoing.hpp"
#include "sync/run_context.hpp"
#include "sync/sign_in.hpp"

namespace syncline::sync {
namespace {

using model::RecordKind;
using store::Transaction;

/// How often a conflict is read and merged again in one run.
constexpr int merge_rounds = 5;
/// How often a run waits for lost writes to be settled.
constexpr int settle_rounds = 4;
constexpr std::chrono::hours quarantine_retry{7 * 24};

class MailboxRun {
 public:
  explicit MailboxRun(RunContext& context) : context_(context) {}

  Async<MailboxSummary> run() {
    if (auto known = refresh_open_operations(context_); !known) co_return fail(std::move(known.error()));
    if (auto known = load_touched(context_); !known) co_return fail(std::move(known.error()));
    if (context_.settings.claim) {
      auto claimed = co_await claim();
      if (!claimed) co_return fail(std::move(claimed.error()));
    }
    auto listed = co_await context_.driver.folders();
    if (!listed) co_return fail(std::move(listed.error()));
    context_.folders = std::move(*listed);

    auto left_over = co_await write_rounds(false);
    if (!left_over) co_return fail(std::move(left_over.error()));
    for (const RemoteFolder& folder : context_.folders) {
      if (!is_read(folder)) continue;
      auto pulled = co_await pull_folder(context_, folder);
      if (!pulled) co_return fail(std::move(pulled.error()).during("reading folder " + folder.name));
    }
    if (auto left = leave_lost_folders(context_); !left) co_return fail(std::move(left.error()));
    auto retried = co_await retry_quarantined();
    if (!retried) co_return fail(std::move(retried.error()));
    auto resolved = co_await resolve_held_deletes(context_);
    if (!resolved) co_return fail(std::move(resolved.error()));
    auto written = co_await write_rounds(true);
    if (!written) co_return fail(std::move(written.error()));
    if (auto ended = end_brake_release(context_); !ended) co_return fail(std::move(ended.error()));
    context_.summary.requests = context_.driver.requests();
    context_.summary.waiting = context_.open_operations.size();
    co_return context_.summary;
  }

 private:
  Async<void> claim() {
    const std::string id = context_.store.organisation_id();
    const std::string name = context_.settings.organisation_name;
    const bool take_over = context_.settings.take_over;
    auto claimed = co_await context_.driver.claim(id, name, take_over);
    if (!claimed) co_return fail(std::move(claimed.error()));
    if (claimed->ours) co_return note_take_over(claimed->taken_from);
    co_return fail(ErrorDomain::input, "mailbox-claimed",
                   context_.settings.address + " is synchronised by organisation \"" + claimed->owner_name +
                       "\" (" + claimed->owner_id + "); `--override` takes it over");
  }

  Result<void> note_take_over(const std::string& from) {
    context_.summary.taken_over_from = from;
    if (from.empty()) return {};
    return context_.store.write<void>([&](Transaction& transaction) {
      return note(context_, transaction, "", 0, {.event = "taken-over", .text = "from " + from});
    });
  }

  /// Whether the settings want this folder read.
  bool is_read(const RemoteFolder& folder) const {
    const MailboxSettings& settings = context_.settings;
    switch (folder.role) {
      case FolderRole::inbox:
        return settings.mail_in;
      case FolderRole::sent:
        return settings.mail_in && settings.kind == MailboxKind::user && settings.policies.mail.track_sent;
      case FolderRole::calendar:
      case FolderRole::contacts:
      case FolderRole::tasks:
        return settings.appointments_contacts_tasks && settings.kind == MailboxKind::user;
      case FolderRole::drafts:
      case FolderRole::deleted:
        return false;
      case FolderRole::other:
        if (!is_tracked(folder)) return false;
        return folder.kind == RecordKind::email
                   ? settings.mail_in
                   : settings.appointments_contacts_tasks && settings.kind == MailboxKind::user;
    }
    return false;
  }

  bool is_tracked(const RemoteFolder& folder) const {
    const std::string path = path_of(folder);
    const auto& tracked = context_.settings.tracked_folders;
    const auto end =
        tracked.begin() + static_cast<std::ptrdiff_t>(std::min(tracked.size(), tracked_folders_limit));
    return std::any_of(tracked.begin(), end,
                       [&](const std::string& name) { return text::equals_ignore_case(name, path); });
  }
  /// Below the Inbox or the root: "Customers/Nordwind".
  std::string path_of(const RemoteFolder& folder) const {
    std::string path = folder.name;
    std::string parent = folder.parent_id;
    for (std::size_t depth = 0; depth < 32; ++depth) {
      const RemoteFolder* above = context_.folder(parent);
      if (above == nullptr || above->role == FolderRole::inbox) break;
      path = above->name + "/" + path;
      parent = above->parent_id;
    }
    return path;
  }

  Async<void> retry_quarantined() {
    auto due = context_.store.read<std::vector<store::Quarantined>>([&](Transaction& transaction) {
      return store::quarantine_due(transaction, context_.settings.mailbox, context_.now() - quarantine_retry);
    });
    if (!due) co_return fail(std::move(due.error()));
    for (const store::Quarantined& one : *due) {
      const RemoteFolder* folder = context_.folder(one.folder);
      auto released = context_.store.write<void>([&](Transaction& transaction) -> Result<void> {
        // Out of the way while it is tried; an item that still cannot be read comes back with its history.
        if (folder == nullptr) {
          return store::release_quarantined(transaction, one.mailbox, one.item);
        }
        store::Quarantined trying = one;
        trying.replay = true;
        return store::put_quarantined(transaction, trying);
      });
      if (!released) co_return fail(std::move(released.error()));
      if (folder == nullptr) continue;
      std::vector<RemoteRef> items{{.id = one.item, .version = one.item_version}};
      std::optional<store::Cursor> none;
      auto taken = co_await take_items(context_, *folder, std::move(items), std::move(none));
      if (!taken) co_return taken;
      auto settled = context_.store.write<void>([&](Transaction& transaction) -> Result<void> {
        auto still = store::find_quarantined(transaction, one.mailbox, one.item);
        if (!still) return fail(std::move(still.error()));
        if (!*still || !(*still)->replay) return {};
        return store::release_quarantined(transaction, one.mailbox, one.item);
      });
      if (!settled) co_return fail(std::move(settled.error()));
    }
    co_return Result<void>{};
  }

  /// Makes operations of what changed, carries them out, and merges again what had changed meanwhile, until
  /// there is nothing left or what is left has to wait.
  Async<void> write_rounds(bool plan_new) {
    int waits = 0;
    for (int round = 0; round < merge_rounds;) {
      std::uint64_t made = 0;
      if (plan_new) {
        auto planned = plan_outgoing(context_);
        if (!planned) co_return fail(std::move(planned.error()));
        made = *planned;
      }
      auto ran = co_await run_operations(context_);
      if (!ran) co_return fail(std::move(ran.error()));
      context_.summary.next_attempt = ran->next_attempt;
      std::vector<store::LinkId> again = std::move(ran->look_again);
      for (const store::LinkId link : context_.touched_links)
        if (!context_.busy_links.contains(link) && std::find(again.begin(), again.end(), link) == again.end())
          again.push_back(link);
      if (!again.empty()) {
        ++round;
        auto looked = co_await look_again(context_, std::move(again));
        if (!looked) co_return looked;
        if (plan_new) continue;
      }
      if (ran->next_attempt && context_.options.settle && plan_new && waits < settle_rounds) {
        ++waits;
        const SystemTime now = context_.now();
        if (*ran->next_attempt > now) {
          const auto pause = std::chrono::duration_cast<std::chrono::milliseconds>(*ran->next_attempt - now);
          if (pause > longest_wait()) break;
          auto slept = co_await context_.surroundings.sleep(pause);
          if (!slept) co_return slept;
        }
        continue;
      }
      if (made == 0 || !plan_new) break;
    }
    co_return Result<void>{};
  }
  /// A run waits for the server's time limit, not for an outage.
  std::chrono::milliseconds longest_wait() const {
    return context_.policies().sync.server_time_limit + std::chrono::seconds(5);
  }

  RunContext& context_;
};

}  // namespace

Async<MailboxSummary> run_mailbox(Surroundings surroundings, store::Store& store,
                                  store::ContentStore& content, Driver& driver,
                                  const MailboxSettings& settings, RunOptions options) {
  auto rules = plan::OutboundRules::make(settings.policies.sync);
  if (!rules) co_return fail(std::move(rules.error()));
  RunContext context{.surroundings = std::move(surroundings),
                     .store = store,
                     .content = content,
                     .driver = driver,
                     .settings = settings,
                     .options = std::move(options),
                     .outbound = std::move(*rules)};
  MailboxRun run(context);
  auto outcome = co_await run.run();
  if (!outcome && context.options.on_failure) {
    context.summary.requests = driver.requests();
    context.options.on_failure(context.summary);
  }
  auto told = tell_of_sign_in(store, settings.mailbox, settings.address, outcome);
  if (outcome && !told) co_return fail(std::move(told.error()));
  co_return outcome;
}

}  // namespace syncline::sync
