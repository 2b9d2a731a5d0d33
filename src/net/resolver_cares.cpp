// SPDX-License-Identifier: GPL-3.0-or-later
#include "net/resolver_cares.hpp"

#include <ares.h>
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>

#include "base/text.hpp"
#include "net/event.hpp"
#include "net/resolver_overrides.hpp"

namespace syncline::net {
namespace {

constexpr std::size_t max_answers = 256;

Result<void> ares_library() {
  static const int status = ares_library_init(ARES_LIB_INIT_ALL);
  if (status != ARES_SUCCESS) return fail(ErrorDomain::local, "dns-setup", ares_strerror(status));
  return {};
}

Error query_error(int status, const std::string& name) {
  Error error;
  error.domain = ErrorDomain::net;
  switch (status) {
    case ARES_ENOTFOUND:
    case ARES_ENODATA:
    case ARES_EBADNAME:
    case ARES_EBADQUERY:
      error.code = "name-not-found";
      error.message = "DNS has no such record for \"" + name + "\"";
      error.retry = RetryClass::never;
      return error;
    case ARES_ECANCELLED:
    case ARES_EDESTRUCTION:
      return cancelled().value();
    default:
      error.code = "dns-failed";
      error.message = "DNS look-up of \"" + name + "\" failed: " + ares_strerror(status);
      error.retry = RetryClass::after;
      return error;
  }
}

/// One question. c-ares owns a reference until it calls back, so a cancelled coroutine may leave.
struct Query {
  Query(asio::any_io_executor executor, std::string name)
      : name(std::move(name)), done(std::move(executor)) {}
  std::string name;
  Event done;
  bool finished = false;
  int status = ARES_SUCCESS;
  std::vector<std::string> hosts;
  std::vector<SrvRecord> services;
  std::vector<std::pair<std::uint16_t, std::string>> exchangers;

  void finish(int with) {
    status = with;
    finished = true;
    done.notify_all();
  }
};
using QueryPtr = std::shared_ptr<Query>;

QueryPtr take(void* argument) {
  const std::unique_ptr<QueryPtr> held(static_cast<QueryPtr*>(argument));
  return *held;
}

void on_addresses(void* argument, int status, int, ares_addrinfo* answer) {
  const QueryPtr query = take(argument);
  for (const ares_addrinfo_node* node = answer ? answer->nodes : nullptr; node != nullptr;
       node = node->ai_next) {
    char text[INET6_ADDRSTRLEN] = {};
    const void* address = nullptr;
    if (node->ai_family == AF_INET) address = &reinterpret_cast<const sockaddr_in*>(node->ai_addr)->sin_addr;
    if (node->ai_family == AF_INET6)
      address = &reinterpret_cast<const sockaddr_in6*>(node->ai_addr)->sin6_addr;
    if (address == nullptr || inet_ntop(node->ai_family, address, text, sizeof text) == nullptr) continue;
    if (query->hosts.size() < max_answers && std::ranges::find(query->hosts, text) == query->hosts.end()) {
      query->hosts.emplace_back(text);
    }
  }
  if (answer != nullptr) ares_freeaddrinfo(answer);
  query->finish(status == ARES_SUCCESS && query->hosts.empty() ? ARES_ENODATA : status);
}

void on_srv(void* argument, int status, int, unsigned char* octets, int size) {
  const QueryPtr query = take(argument);
  ares_srv_reply* first = nullptr;
  if (status == ARES_SUCCESS) status = ares_parse_srv_reply(octets, size, &first);
  for (const ares_srv_reply* one = first; one != nullptr && query->services.size() < max_answers;
       one = one->next) {
    query->services.push_back({one->priority, one->weight, one->port, text::to_lower_ascii(one->host)});
  }
  if (first != nullptr) ares_free_data(first);
  query->finish(status);
}

void on_mx(void* argument, int status, int, unsigned char* octets, int size) {
  const QueryPtr query = take(argument);
  ares_mx_reply* first = nullptr;
  if (status == ARES_SUCCESS) status = ares_parse_mx_reply(octets, size, &first);
  for (const ares_mx_reply* one = first; one != nullptr && query->exchangers.size() < max_answers;
       one = one->next) {
    query->exchangers.emplace_back(one->priority, text::to_lower_ascii(one->host));
  }
  if (first != nullptr) ares_free_data(first);
  query->finish(status);
}

class CaresResolver final : public Resolver {
 public:
  CaresResolver(asio::any_io_executor executor, Random& random)
      : executor_(std::move(executor)),
        random_(random),
        timer_(executor_),
        alive_(std::make_shared<CaresResolver*>(this)) {}

  ~CaresResolver() override {
    *alive_ = nullptr;
    if (channel_ != nullptr) ares_destroy(channel_);
    sockets_.clear();
  }

  Result<void> set_up(const DnsSettings& settings) {
    auto library = ares_library();
    if (!library) return library;
    ares_options options{};
    options.sock_state_cb = [](void* self, ares_socket_t socket, int readable, int writable) {
      static_cast<CaresResolver*>(self)->watch(socket, readable != 0, writable != 0);
    };
    options.sock_state_cb_data = this;
    options.timeout = static_cast<int>(settings.try_timeout.count());
    options.tries = settings.tries;
    const int status =
        ares_init_options(&channel_, &options, ARES_OPT_SOCK_STATE_CB | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
    if (status != ARES_SUCCESS) return fail(ErrorDomain::local, "dns-setup", ares_strerror(status));
    if (!settings.servers.empty()) {
      const int set = ares_set_servers_ports_csv(channel_, settings.servers.c_str());
      if (set != ARES_SUCCESS) {
        return fail(ErrorDomain::local, "dns-setup",
                    "\"" + settings.servers + "\" is no list of DNS servers");
      }
    }
    return {};
  }

  Async<std::vector<std::string>> addresses(std::string host) override {
    if (auto known = addresses_without_dns(host)) co_return *known;
    const auto query = std::make_shared<Query>(executor_, host);
    ares_addrinfo_hints hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    ares_getaddrinfo(channel_, host.c_str(), nullptr, &hints, on_addresses, new QueryPtr(query));
    auto answered = co_await answer(query);
    if (!answered) co_return fail(std::move(answered).error());
    co_return std::move(query->hosts);
  }

  Async<std::vector<SrvRecord>> srv(std::string name) override {
    const auto query = std::make_shared<Query>(executor_, name);
    ares_query(channel_, name.c_str(), ns_c_in, ns_t_srv, on_srv, new QueryPtr(query));
    auto answered = co_await answer(query);
    if (!answered) co_return fail(std::move(answered).error());
    co_return order_srv(std::move(query->services), random_);
  }

  Async<std::vector<std::string>> mx(std::string domain) override {
    const auto query = std::make_shared<Query>(executor_, domain);
    ares_query(channel_, domain.c_str(), ns_c_in, ns_t_mx, on_mx, new QueryPtr(query));
    auto answered = co_await answer(query);
    if (!answered) co_return fail(std::move(answered).error());
    std::stable_sort(query->exchangers.begin(), query->exchangers.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<std::string> names;
    for (auto& [preference, name] : query->exchangers) names.push_back(std::move(name));
    co_return names;
  }

 private:
  struct Socket {
    explicit Socket(const asio::any_io_executor& executor, ares_socket_t fd) : descriptor(executor, fd) {}
    ~Socket() { descriptor.release(); }  // c-ares closes it
    asio::posix::stream_descriptor descriptor;
    bool want_read = false;
    bool want_write = false;
    bool reading = false;
    bool writing = false;
  };

  Async<void> answer(const QueryPtr& query) {
    arm_timer();
    if (!query->finished) {
      auto waited = co_await query->done.wait();
      if (!waited) co_return fail(std::move(waited).error());
    }
    if (query->status != ARES_SUCCESS) co_return fail(query_error(query->status, query->name));
    co_return Result<void>{};
  }

  void watch(ares_socket_t fd, bool readable, bool writable) {
    if (!readable && !writable) {
      sockets_.erase(fd);
      return;
    }
    auto& socket = sockets_[fd];
    if (socket == nullptr) socket = std::make_shared<Socket>(executor_, fd);
    socket->want_read = readable;
    socket->want_write = writable;
    wait_for(fd, socket);
  }

  void wait_for(ares_socket_t fd, const std::shared_ptr<Socket>& socket) {
    using asio::posix::stream_descriptor;
    if (socket->want_read && !socket->reading) {
      socket->reading = true;
      socket->descriptor.async_wait(stream_descriptor::wait_read,
                                    [alive = alive_, fd, socket](const boost::system::error_code& error) {
                                      socket->reading = false;
                                      if (!error && *alive != nullptr)
                                        (*alive)->process(fd, ARES_SOCKET_BAD, socket);
                                    });
    }
    if (socket->want_write && !socket->writing) {
      socket->writing = true;
      socket->descriptor.async_wait(stream_descriptor::wait_write,
                                    [alive = alive_, fd, socket](const boost::system::error_code& error) {
                                      socket->writing = false;
                                      if (!error && *alive != nullptr)
                                        (*alive)->process(ARES_SOCKET_BAD, fd, socket);
                                    });
    }
  }

  void process(ares_socket_t readable, ares_socket_t writable, const std::shared_ptr<Socket>& socket) {
    const ares_socket_t fd = readable == ARES_SOCKET_BAD ? writable : readable;
    const auto current = sockets_.find(fd);
    if (current == sockets_.end() || current->second != socket) return;  // closed meanwhile
    ares_process_fd(channel_, readable, writable);
    const auto still = sockets_.find(fd);
    if (still != sockets_.end() && still->second == socket) wait_for(fd, socket);
    arm_timer();
  }

  void arm_timer() {
    timeval space{};
    const timeval* left = ares_timeout(channel_, nullptr, &space);
    if (left == nullptr) {
      timer_.cancel();
      return;
    }
    timer_.expires_after(std::chrono::seconds(left->tv_sec) + std::chrono::microseconds(left->tv_usec) +
                         std::chrono::milliseconds(1));
    timer_.async_wait([alive = alive_](const boost::system::error_code& error) {
      if (error || *alive == nullptr) return;
      ares_process_fd((*alive)->channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
      (*alive)->arm_timer();
    });
  }

  asio::any_io_executor executor_;
  Random& random_;
  asio::steady_timer timer_;
  std::shared_ptr<CaresResolver*> alive_;
  std::map<ares_socket_t, std::shared_ptr<Socket>> sockets_;
  ares_channel channel_ = nullptr;
};

}  // namespace

Result<std::unique_ptr<Resolver>> make_dns_resolver(asio::any_io_executor executor, Random& random,
                                                    DnsSettings settings) {
  auto resolver = std::make_unique<CaresResolver>(std::move(executor), random);
  auto ready = resolver->set_up(settings);
  if (!ready) return fail(std::move(ready).error());
  return std::unique_ptr<Resolver>(std::move(resolver));
}

}  // namespace syncline::net
