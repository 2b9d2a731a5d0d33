// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/client/items.hpp"

#include <algorithm>
#include <deque>

#include "ews/client/patient_call.hpp"

namespace syncline::ews {
namespace {

// Pages that bring nothing and yet are not the last: a broken server would be asked for ever.
constexpr unsigned most_empty_pages = 3;

bool is_passing(const Error& error) {
  return error.retry == RetryClass::after || error.retry == RetryClass::now;
}

// A reply that could not be read: one of its items may be the cause.
bool may_be_one_items_fault(const Error& error) {
  return error.domain == ErrorDomain::xml || error.domain == ErrorDomain::soap ||
         error.retry == RetryClass::quarantine || error.code == "too-large";
}

Error no_item() {
  return {.domain = ErrorDomain::ews,
          .code = "no-item",
          .message = "the server answered with no item and no error",
          .retry = RetryClass::quarantine};
}

bool is_too_slow(const Error& error) {
  return error.code == "response-timeout" || error.code == "read-timeout" ||
         error.code == "ErrorTimeoutExpired" || error.code == "ErrorRequestTimeout" ||
         error.code == "ErrorBatchProcessingStopped";
}

constexpr IndexedView first_view{.offset = 0, .max_entries = 1000};

/// How many entries a page brought; an error ends the reading.
using PageTaken = Result<std::size_t>;

// Page after page of a FindItem or FindFolder. The arguments outlive the coroutine: both callers wait
// for it.
template <class Request, class Page>
net::Async<Nothing> read_pages(EwsClient& client, Request& request, IndexedView view,
                               const std::function<PageTaken(Page)>& take) {
  for (unsigned empty_pages = 0;;) {
    request.view = view;
    Request page_request = request;
    auto reply = co_await call_patiently(client, std::move(page_request));
    if (!reply) co_return fail(std::move(reply.error()));
    if (auto complete = reply->expect(1); !complete) co_return fail(complete.error());
    auto found = std::move(reply->messages.front()).result();
    if (!found) co_return fail(std::move(found.error()));
    const auto is_last = found->includes_last_item_in_range;
    const auto told_next = found->indexed_paging_offset;
    const PageTaken taken = take(std::move(*found));
    if (!taken) co_return fail(taken.error());
    const auto count = static_cast<std::int64_t>(*taken);
    if (is_last.value_or(count == 0)) co_return Nothing{};
    empty_pages = count == 0 ? empty_pages + 1 : 0;
    const std::int64_t next = told_next.value_or(view.offset + count);
    if (empty_pages >= most_empty_pages || (next <= view.offset && count > 0))
      co_return fail(ErrorDomain::ews, "paging-stuck", "the server's pages do not come to an end",
                     RetryClass::after);
    // A page that brings nothing and moves on nowhere is asked for again; one that moves on is believed.
    view.offset = std::max(next, view.offset);
  }
}

}  // namespace

struct ItemReader::Pending {
  std::size_t position;
  unsigned attempts = 0;
  bool alone = false;  ///< suspected of spoiling its batch
};

net::Async<std::vector<Result<Item>>> ItemReader::get(std::vector<ItemRef> ids, ItemShape shape) {
  std::vector<Result<Item>> results(
      ids.size(), fail(ErrorDomain::ews, "not-asked", "the item was not asked for", RetryClass::after));
  std::deque<Pending> todo;
  for (std::size_t i = 0; i < ids.size(); ++i) todo.push_back({.position = i});
  const Clock& clock = client_.environment().clock;

  while (!todo.empty()) {
    const std::size_t most = todo.front().alone ? 1 : sizer_.size();
    std::vector<Pending> batch;
    GetItemRequest request{.shape = shape, .ids = {}};
    while (!todo.empty() && batch.size() < most && (batch.empty() || !todo.front().alone)) {
      request.ids.push_back(ids[todo.front().position]);
      batch.push_back(todo.front());
      todo.pop_front();
    }
    const SteadyTime started = clock.steady_now();
    auto reply = co_await client_.call(std::move(request));
    if (reply) {
      if (auto complete = reply->expect(batch.size()); !complete) reply = fail(complete.error());
    }
    if (!reply) {
      Error error = std::move(reply.error());
      if (is_too_slow(error)) sizer_.too_slow();
      if (may_be_one_items_fault(error) && batch.size() == 1 &&
          batch.front().attempts + 1 >= policy_.attempts) {
        error.retry = RetryClass::quarantine;
        results[batch.front().position] = fail(std::move(error));
        continue;
      }
      if (!is_passing(error) && !may_be_one_items_fault(error)) {
        for (const Pending& one : batch) results[one.position] = fail(error);
        for (const Pending& one : todo) results[one.position] = fail(error);
        co_return results;
      }
      unsigned attempt = 0;
      for (auto one = batch.rbegin(); one != batch.rend(); ++one) {
        attempt = std::max(attempt, ++one->attempts);
        one->alone = one->alone || may_be_one_items_fault(error);
        if (one->attempts < policy_.attempts) {
          todo.push_front(*one);
        } else {
          results[one->position] = fail(error);
        }
      }
      if (is_passing(error) && !todo.empty()) {
        if (auto slept = co_await client_.budgets()->back_off(error, attempt); !slept)
          co_return fail(slept.error());
      }
      continue;
    }

    sizer_.succeeded(batch.size(), clock.steady_now() - started);
    std::vector<Pending> again;
    std::optional<Error> passing;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      ResponseMessage<std::vector<Item>>& message = reply->messages[i];
      const bool stopped = message.code == "ErrorBatchProcessingStopped";
      auto value = std::move(message).result();
      if (value && value->size() == 1) {
        results[batch[i].position] = std::move(value->front());
        continue;
      }
      Error error = value ? no_item() : std::move(value.error());
      if ((stopped || is_passing(error)) && batch[i].attempts + 1 < policy_.attempts) {
        // What a stopped batch did not come to is no fault of these items: they keep their place in a batch.
        again.push_back(batch[i]);
        if (!stopped || i == 0) ++again.back().attempts;
        if (!passing && !stopped) passing = error;
      }
      results[batch[i].position] = fail(std::move(error));
    }
    for (auto one = again.rbegin(); one != again.rend(); ++one) todo.push_front(*one);
    if (passing) {
      if (auto slept = co_await client_.budgets()->back_off(*passing, 1); !slept)
        co_return fail(slept.error());
    }
  }
  co_return results;
}

net::Async<Nothing> find_items(EwsClient& client, FindItemRequest request,
                               std::function<Result<void>(std::vector<Item>)> page) {
  IndexedView view = first_view;
  if (const auto* given = std::get_if<IndexedView>(&request.view)) view = *given;
  std::function<PageTaken(ItemPage)> take = [&page](ItemPage found) -> PageTaken {
    const std::size_t count = found.items.size();
    if (auto taken = page(std::move(found.items)); !taken) return fail(std::move(taken.error()));
    return count;
  };
  co_return co_await read_pages(client, request, view, take);
}

net::Async<std::vector<Folder>> find_folders(EwsClient& client, FindFolderRequest request) {
  std::vector<Folder> folders;
  const IndexedView view = request.view.value_or(first_view);
  std::function<PageTaken(FolderPage)> take = [&folders](FolderPage found) -> PageTaken {
    const std::size_t count = found.folders.size();
    std::ranges::move(found.folders, std::back_inserter(folders));
    return count;
  };
  auto read = co_await read_pages(client, request, view, take);
  if (!read) co_return fail(std::move(read.error()));
  co_return folders;
}

}  // namespace syncline::ews
