// SPDX-License-Identifier: GPL-3.0-or-later
#include "organisation.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/serialize.hpp>
#include <optional>

namespace syncline::sync::testing {

namespace json = boost::json;

Organisation::Organisation(ManualClock& clock, MemoryServer& server, std::uint64_t seed)
    : OrganisationStore(clock, server.address(), seed), clock_(clock), server_(server) {}

Result<MailboxSummary> Organisation::run(Fault fault) {
  boost::asio::io_context context;
  MemoryDriver driver(server_, clock_, std::move(fault));
  const Surroundings surroundings{.clock = clock_,
                                  .random = random_,
                                  .sleep = [this](std::chrono::milliseconds span) -> Async<void> {
                                    clock_.advance(span);
                                    co_return Result<void>{};
                                  },
                                  .aside = aside};
  std::optional<Result<MailboxSummary>> outcome;
  const auto work = [&]() -> boost::asio::awaitable<void> {
    outcome.emplace(co_await run_mailbox(surroundings, store(), content(), driver, settings, options));
  };
  boost::asio::co_spawn(context, work(), [](const std::exception_ptr& thrown) {
    if (thrown) std::rethrow_exception(thrown);
  });
  context.run();
  return std::move(*outcome);
}

MailboxSummary Organisation::must_run(Fault fault) {
  auto summary = run(std::move(fault));
  if (!summary) {
    ADD_FAILURE() << summary.error().describe();
    return {};
  }
  return *summary;
}

std::string dump(const MemoryServer& server) {
  std::vector<std::string> lines;
  for (const RemoteFolder& folder : server.folders())
    for (const MemoryItem* item : server.in(folder.id))
      lines.push_back(folder.id + " " + json::serialize(sorted(comparable(item->fields))));
  return joined(std::move(lines));
}

}  // namespace syncline::sync::testing
