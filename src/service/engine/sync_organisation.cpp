// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/engine/sync_organisation.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/text.hpp"
#include "service/engine/connections.hpp"
#include "service/engine/mailbox_runner.hpp"
#include "service/organisation/organisation.hpp"

namespace syncline::service {
namespace {

namespace asio = net::asio;

/// A copy of the database for a dry run to write to.
class ScratchStore {
 public:
  static Result<std::unique_ptr<ScratchStore>> copy_of(Organisation& organisation,
                                                       const std::string& folder) {
    if (auto copied = organisation.store().backup(folder); !copied) return fail(std::move(copied.error()));
    std::unique_ptr<ScratchStore> scratch(new ScratchStore);
    auto opened = store::Store::open(folder, organisation.clock(), organisation.random());
    if (!opened) return fail(std::move(opened.error()));
    scratch->store_ = std::move(*opened);
    auto content = store::ContentStore::open(*scratch->store_);
    if (!content) return fail(std::move(content.error()));
    scratch->content_ = std::move(*content);
    return scratch;
  }
  store::Store& store() { return *store_; }
  store::ContentStore& content() { return *content_; }

 private:
  ScratchStore() = default;
  std::unique_ptr<store::Store> store_;
  std::optional<store::ContentStore> content_;
};

/// As the configuration spells them, each once: two runs at once in one mailbox would double everything.
std::vector<std::string> distinct(const std::vector<std::string>& addresses) {
  std::vector<std::string> result;
  for (const std::string& address : addresses) {
    std::string lower = text::to_lower_ascii(address);
    if (std::find(result.begin(), result.end(), lower) == result.end()) result.push_back(std::move(lower));
  }
  return result;
}

class OrganisationRun {
 public:
  OrganisationRun(asio::any_io_executor executor, Organisation& organisation, SyncRequest request)
      : executor_(executor),
        organisation_(organisation),
        request_(std::move(request)),
        connections_(executor) {}

  Async<SyncOutcome> run() {
    auto loaded = organisation_.load();
    if (!loaded) co_return fail(std::move(loaded.error()));
    organisation_name_ = loaded->configuration.organisation.name;
    if (auto required = connections_.require(loaded->configuration.organisation.environment); !required)
      co_return fail(std::move(required.error()));
    auto enabled = enabled_mailboxes(organisation_, distinct(request_.addresses));
    if (!enabled) co_return fail(std::move(enabled.error()));
    for (const Obstacle& obstacle : enabled->not_ready)
      if (obstacle.code == "no-mailbox")
        co_return fail(ErrorDomain::input, obstacle.code, "There is no mailbox " + obstacle.address);
    if (request_.dry_run && !enabled->ready.empty()) {
      auto scratch = ScratchStore::copy_of(organisation_, request_.scratch_folder);
      if (!scratch) co_return fail(std::move(scratch.error()));
      scratch_ = std::move(*scratch);
    }
    outcome_.not_ready = std::move(enabled->not_ready);
    mailboxes_ = std::move(enabled->ready);
    std::sort(mailboxes_.begin(), mailboxes_.end(),
              [](const EnabledMailbox& a, const EnabledMailbox& b) { return a.address() < b.address(); });
    for (const EnabledMailbox& mailbox : mailboxes_)
      outcome_.mailboxes.push_back(
          {.address = mailbox.address(), .summary = fail(ErrorDomain::net, "cancelled", "it was not begun")});

    const std::size_t workers =
        std::min(std::max<std::size_t>(1, request_.mailboxes_at_once), mailboxes_.size());
    asio::experimental::channel<void(boost::system::error_code)> ended(executor_,
                                                                       std::max<std::size_t>(1, workers));
    for (std::size_t i = 0; i < workers; ++i)
      asio::co_spawn(executor_, work(),
                     [&ended](const std::exception_ptr&) { ended.try_send(boost::system::error_code()); });
    for (std::size_t i = 0; i < workers; ++i) co_await ended.async_receive(asio::use_awaitable);
    if (trouble_) co_return fail(std::move(*trouble_));
    co_return std::move(outcome_);
  }

 private:
  asio::awaitable<void> work() {
    while (next_ < mailboxes_.size() && !trouble_) {
      const std::size_t at = next_++;
      co_await run_one(mailboxes_[at], outcome_.mailboxes[at]);
    }
  }

  asio::awaitable<void> run_one(const EnabledMailbox& mailbox, MailboxOutcome& outcome) {
    RunWishes wishes{.settle = !request_.once, .take_over = request_.take_over};
    if (scratch_) wishes.dry_run.emplace(DryRunStores{scratch_->store(), scratch_->content()});
    if (request_.on_progress)
      wishes.on_progress = [this, address = mailbox.address()](const sync::RunProgress& progress) {
        request_.on_progress(address, progress);
      };
    MailboxRunner runner(organisation_, connections_, organisation_name_);
    auto ran = co_await runner.run(mailbox, std::move(wishes), outcome);
    if (!ran) trouble_ = std::move(ran.error());
  }

  asio::any_io_executor executor_;
  Organisation& organisation_;
  SyncRequest request_;
  Connections connections_;
  std::unique_ptr<ScratchStore> scratch_;
  std::string organisation_name_;
  std::vector<EnabledMailbox> mailboxes_;
  std::size_t next_ = 0;
  std::optional<Error> trouble_;
  SyncOutcome outcome_;
};

}  // namespace

Async<SyncOutcome> sync_organisation(asio::any_io_executor executor, Organisation& organisation,
                                     SyncRequest request) {
  OrganisationRun run(executor, organisation, std::move(request));
  co_return co_await run.run();
}

}  // namespace syncline::service
