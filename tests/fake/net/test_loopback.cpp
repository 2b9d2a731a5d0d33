// SPDX-License-Identifier: GPL-3.0-or-later
// Real sockets, real TLS, real DNS packets, all on 127.0.0.1.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

#include "certificates.hpp"
#include "net/http_client.hpp"
#include "net/http_server.hpp"
#include "net/system_environment.hpp"
#include "net/tcp.hpp"
#include "net/tls.hpp"

namespace syncline::net::testing {
namespace {

using std::chrono::seconds;

class Loopback : public ::testing::Test {
 protected:
  Loopback() {
    SystemSettings settings;
    settings.resolve = {{"mail.test", 443, "127.0.0.1"}, {"other.test", 443, "127.0.0.1"}};
    system_ = system_environment(context_.get_executor(), settings).value();
    directory_ = std::filesystem::temp_directory_path() /
                 ("syncline-net-" + std::to_string(::getpid()) + "-" + std::to_string(++count_));
    std::filesystem::create_directories(directory_);
    ca_file_ = (directory_ / "ca.pem").string();
    std::ofstream(ca_file_) << ca_.pem();
  }
  ~Loopback() override { std::filesystem::remove_all(directory_); }

  template <class T>
  Result<T> run(Async<T> main) {
    std::optional<Result<T>> outcome;
    auto capture = [](Async<T> what, std::optional<Result<T>>& into) -> asio::awaitable<void> {
      into.emplace(co_await std::move(what));
    };
    context_.restart();
    asio::co_spawn(context_, capture(std::move(main), outcome), asio::detached);
    while (!outcome && context_.run_one() > 0) {
    }
    return outcome ? std::move(*outcome) : Result<T>(fail(ErrorDomain::local, "stuck", "stuck"));
  }

  std::unique_ptr<HttpServer> serve(const Certificate* certificate, HttpHandler handler = echo) {
    ListenOptions options;
    if (certificate) options.identity = certificate->identity();
    return listen_http(system_->get(), std::move(options), std::move(handler)).value();
  }

  std::unique_ptr<HttpClient> client() {
    HttpClientSettings settings;
    settings.tls.ca_file = ca_file_;
    return make_http_client(system_->get(), std::move(settings)).value();
  }

  static HttpRequest request(std::string scheme, std::string host, std::uint16_t port,
                             std::string body = "") {
    HttpRequest made;
    made.method = body.empty() ? "GET" : "POST";
    made.url = Url{std::move(scheme), std::move(host), port, "/x"};
    if (!body.empty()) made.body = std::make_shared<StringSource>(std::move(body));
    return made;
  }

  static asio::awaitable<void> echo(const ServerRequest& request, Responder& responder) {
    std::string body = request.method + " " + request.body;
    static_cast<void>(co_await responder.respond(200, Headers(), std::move(body)));
  }

  std::string refusal(const Certificate& certificate, std::string host) {
    auto server = serve(&certificate);
    auto asked = client();
    auto response = run(asked->send(request("https", std::move(host), server->port()), {}));
    if (response) return "accepted";
    EXPECT_EQ(response.error().domain, ErrorDomain::tls);
    return response.error().code + ": " + response.error().message;
  }

  asio::io_context context_{1};
  std::unique_ptr<SystemEnvironment> system_;
  Certificate ca_ = make_certificate("Test Authority", "", nullptr);
  std::filesystem::path directory_;
  std::string ca_file_;
  static inline int count_ = 0;
};

TEST_F(Loopback, ClearAndSecureRequestsAreAnswered) {
  const auto certificate = make_certificate("mail.test", "DNS:mail.test,IP:127.0.0.1", &ca_);
  auto clear = serve(nullptr);
  auto secure = serve(&certificate);
  auto asked = client();
  const std::string big(3'000'000, 'x');
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(run(asked->send(request("http", "127.0.0.1", clear->port(), "hello"), {}))->body, "POST hello");
    EXPECT_EQ(run(asked->send(request("http", "localhost", clear->port(), "hello"), {}))->body, "POST hello");
    EXPECT_EQ(run(asked->send(request("https", "mail.test", secure->port(), "hello"), {}))->body,
              "POST hello");
    EXPECT_EQ(run(asked->send(request("https", "127.0.0.1", secure->port(), big), {}))->body.size(),
              big.size() + 5);
  }
  EXPECT_EQ(clear->connections(), 2u);
  EXPECT_EQ(secure->connections(), 2u);
  EXPECT_EQ(run(asked->send(request("http", "127.0.0.1", 1), {})).error().code, "connection-refused");
}

/// Our own socket whose peer listens on this port.
int socket_to(std::uint16_t port) {
  for (int descriptor = 0; descriptor < 1024; ++descriptor) {
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &size) == 0 &&
        peer.sin_family == AF_INET && ntohs(peer.sin_port) == port)
      return descriptor;
  }
  return -1;
}

int tcp_option(int descriptor, int option) {
  int value = -1;
  socklen_t size = sizeof value;
  return ::getsockopt(descriptor, IPPROTO_TCP, option, &value, &size) == 0 ? value : -1;
}

TEST_F(Loopback, SmallWritesAreNotHeldBackAndAnswersAreAcknowledgedAtOnceWhereThatIsAskedFor) {
  using asio::ip::tcp;
  tcp::acceptor acceptor(context_, {asio::ip::address_v4::loopback(), 0});
  const std::uint16_t port = acceptor.local_endpoint().port();
  std::vector<int> quick;  // as the client's socket was when its question had come
  asio::co_spawn(
      context_,
      [&]() -> asio::awaitable<void> {
        constexpr auto completion = asio::as_tuple(asio::use_awaitable);
        auto [failed, socket] = co_await acceptor.async_accept(completion);
        for (char octet = 0;;) {
          const auto [ended, count] = co_await socket.async_read_some(asio::buffer(&octet, 1), completion);
          if (ended) co_return;
          quick.push_back(tcp_option(socket_to(port), TCP_QUICKACK));
          co_await asio::async_write(socket, asio::buffer(&octet, 1), completion);
        }
      },
      asio::detached);
  const auto talk = [&](bool is_quick) -> Async<void> {
    auto stream = co_await system_->get().connector.connect("127.0.0.1", port);
    if (!stream) co_return fail(std::move(stream.error()));
    EXPECT_EQ(tcp_option(socket_to(port), TCP_NODELAY), 1);
    (*stream)->set_quick_ack(is_quick);
    for (int i = 0; i < 20; ++i) {
      std::byte octet{1};
      const std::span<std::byte> one(&octet, 1);
      if (auto written = co_await (*stream)->write_all(one); !written) co_return written;
      if (auto count = co_await (*stream)->read_some(one); !count) co_return fail(std::move(count.error()));
    }
    co_return Result<void>{};
  };
  ASSERT_TRUE(run(talk(true)));
  ASSERT_EQ(quick.size(), 20U);
  EXPECT_EQ(std::count(quick.begin(), quick.end(), 1), 20);
}

TEST_F(Loopback, ACertificateIsRefusedWithItsReason) {
  const auto other = make_certificate("Other Authority", "", nullptr);
  const auto unknown = refusal(make_certificate("mail.test", "DNS:mail.test", &other), "mail.test");
  EXPECT_NE(unknown.find("Other Authority\" leads to no trusted authority"), std::string::npos) << unknown;
  const auto wrong = refusal(make_certificate("x", "DNS:wrong.test,DNS:*.wrong.test", &ca_), "mail.test");
  EXPECT_NE(wrong.find("it is for wrong.test, *.wrong.test, not for this host"), std::string::npos) << wrong;
  const auto expired = refusal(make_certificate("x", "DNS:mail.test", &ca_, -20, -10), "mail.test");
  EXPECT_NE(expired.find("has expired"), std::string::npos) << expired;
  const auto early = refusal(make_certificate("x", "DNS:mail.test", &ca_, 5, 10), "mail.test");
  EXPECT_NE(early.find("not valid yet"), std::string::npos) << early;
  const auto self = refusal(make_certificate("mail.test", "DNS:mail.test", nullptr), "mail.test");
  EXPECT_NE(self.find("signed by itself"), std::string::npos) << self;
  const auto address = refusal(make_certificate("x", "DNS:mail.test,IP:127.0.0.2", &ca_), "127.0.0.1");
  EXPECT_TRUE(address.starts_with("certificate: ")) << address;
  const auto common = refusal(make_certificate("mail.test", "DNS:x.test", &ca_), "mail.test");
  EXPECT_TRUE(common.starts_with("certificate: "))
      << "a common name does not count where there are alternative names";
}

TEST_F(Loopback, AServerThatOnlySpeaksTls11IsRefused) {
  const auto certificate = make_certificate("mail.test", "DNS:mail.test", &ca_);
  auto listener = listen_tcp(context_.get_executor(), "127.0.0.1", 0).value();
  const std::uint16_t port = listener->port();
  // OpenSSL's own blocking server in a thread: our server has nothing below 1.2.
  SSL_CTX* old = SSL_CTX_new(TLS_server_method());
  SSL_CTX_set_security_level(old, 0);
  SSL_CTX_set_min_proto_version(old, TLS1_VERSION);
  SSL_CTX_set_max_proto_version(old, TLS1_1_VERSION);
  SSL_CTX_use_certificate(old, certificate.x509.get());
  SSL_CTX_use_PrivateKey(old, certificate.key.get());
  auto serve_old = [](TcpListener& from, SSL_CTX* context) -> asio::awaitable<void> {
    auto accepted = co_await from.accept();
    if (!accepted) co_return;
    SSL* ssl = SSL_new(context);
    BIO* in = BIO_new(BIO_s_mem());
    BIO* out = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl, in, out);
    SSL_set_accept_state(ssl);
    std::vector<std::byte> buffer(16384);
    for (;;) {
      auto count = co_await accepted->stream->read_some(buffer);
      if (!count || *count == 0) break;
      BIO_write(in, buffer.data(), static_cast<int>(*count));
      SSL_do_handshake(ssl);
      const int answer = BIO_read(out, buffer.data(), static_cast<int>(buffer.size()));
      if (answer > 0) {
        const std::span<const std::byte> octets =
            std::span<const std::byte>(buffer).first(static_cast<std::size_t>(answer));
        auto written = co_await accepted->stream->write_all(octets);
        if (!written) break;
      }
    }
    SSL_free(ssl);
  };
  asio::co_spawn(context_, serve_old(*listener, old), asio::detached);
  auto asked = client();
  const auto response = run(asked->send(request("https", "mail.test", port), {}));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, "handshake");
  EXPECT_NE(response.error().message.find("does not speak TLS 1.2 or newer"), std::string::npos)
      << response.error().message;
  asked.reset();
  context_.restart();
  context_.run_for(std::chrono::milliseconds(1));
  SSL_CTX_free(old);
}

TEST_F(Loopback, AServerThatDoesNotSpeakTlsIsNamedSoAndAPlainClientIsNotServed) {
  const auto certificate = make_certificate("mail.test", "DNS:mail.test", &ca_);
  auto clear = serve(nullptr);
  auto secure = serve(&certificate);
  auto asked = client();
  const auto response = run(asked->send(request("https", "mail.test", clear->port()), {}));
  ASSERT_FALSE(response);
  EXPECT_NE(response.error().message.find("does not speak TLS on this port"), std::string::npos)
      << response.error().message;
  EXPECT_FALSE(run(asked->send(request("http", "mail.test", secure->port()), {})));
}

TEST_F(Loopback, BothEndsSeeTheSameChannelBinding) {
  const auto certificate = make_certificate("mail.test", "DNS:mail.test", &ca_);
  std::string theirs;
  auto server =
      serve(&certificate, [&](const ServerRequest& asked, Responder& responder) -> asio::awaitable<void> {
        theirs = asked.tls_server_end_point;
        static_cast<void>(co_await responder.respond(200, Headers(), "x"));
      });
  class Binding final : public Authenticator {
   public:
    std::string_view scheme() const noexcept override { return "test"; }
    std::string pool_key() const override { return "x"; }
    bool connection_bound() const noexcept override { return false; }
    std::unique_ptr<AuthSession> start(const AuthTarget& target) override {
      seen = target.tls_server_end_point;
      class None final : public AuthSession {
        Async<std::optional<std::string>> initial() override { co_return std::optional<std::string>(); }
        Async<std::string> answer(std::span<const std::string>) override { co_return std::string("x"); }
      };
      return std::make_unique<None>();
    }
    std::string seen;
  };
  const auto binding = std::make_shared<Binding>();
  HttpOptions options;
  options.authenticator = binding;
  auto asked = client();
  ASSERT_TRUE(run(asked->send(request("https", "mail.test", server->port()), options)));
  EXPECT_EQ(theirs.size(), 32u);
  EXPECT_EQ(binding->seen, theirs);
}

TEST_F(Loopback, TrustIsPartOfThePool) {
  const auto certificate = make_certificate("mail.test", "DNS:mail.test", &ca_);
  auto server = serve(&certificate);
  auto asked = client();
  ASSERT_TRUE(run(asked->send(request("https", "mail.test", server->port()), {})));
  HttpOptions system_store;
  system_store.tls = TlsPolicy{};
  const auto response = run(asked->send(request("https", "mail.test", server->port()), system_store));
  ASSERT_FALSE(response) << "a connection verified against another CA must not be used";
  EXPECT_EQ(response.error().code, "certificate");
  HttpOptions missing;
  missing.tls = TlsPolicy{"/nonexistent.pem", false};
  EXPECT_EQ(run(asked->send(request("https", "mail.test", server->port()), missing)).error().code,
            "bad-ca-file");
}

TEST_F(Loopback, FourThousandIdleConnectionsAreHeld) {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_cur < 8300) GTEST_SKIP() << "only " << files.rlim_cur << " files allowed";
  ListenOptions options;
  options.limits.connections = 4010;
  auto server = listen_http(system_->get(), options, echo).value();
  auto fill = [&]() -> Async<std::vector<StreamPtr>> {
    std::vector<StreamPtr> open;
    for (int i = 0; i < 4000; ++i) {
      auto stream = co_await connect_tcp(context_.get_executor(), "127.0.0.1", server->port());
      if (!stream) co_return fail(std::move(stream).error());
      open.push_back(std::move(*stream));
    }
    co_return open;
  };
  auto open = run(fill());
  ASSERT_TRUE(open) << open.error().describe();
  auto asked = client();
  EXPECT_EQ(run(asked->send(request("http", "127.0.0.1", server->port()), {}))->status, 200);
  EXPECT_EQ(server->connections(), 4001u);
  server->stop();
  context_.restart();
  context_.poll();
  EXPECT_EQ(server->connections(), 0u);
}

/// Answers A, SRV and MX questions for names below "known.test".
asio::awaitable<void> answer_dns(asio::ip::udp::socket& socket, int& questions) {
  std::array<unsigned char, 512> buffer{};
  for (;;) {
    asio::ip::udp::endpoint from;
    auto [error, size] =
        co_await socket.async_receive_from(asio::buffer(buffer), from, asio::as_tuple(asio::use_awaitable));
    if (error) co_return;
    ++questions;
    std::string out(reinterpret_cast<const char*>(buffer.data()), size);
    // Only the question is kept: c-ares may add an OPT record behind it.
    std::size_t end = 12;
    std::string name;
    while (end < size && out[end] != 0) {
      name += out.substr(end + 1, static_cast<unsigned char>(out[end])) + ".";
      end += static_cast<unsigned char>(out[end]) + 1u;
    }
    const int type = static_cast<unsigned char>(out[end + 2]);
    out.resize(end + 5);
    std::string answer;
    int count = 0;
    const auto add = [&](const std::string& data) {
      answer += std::string("\xC0\x0C\x00", 3) + static_cast<char>(type) +
                std::string("\x00\x01\x00\x00\x00\x3C\x00", 7) + static_cast<char>(data.size()) + data;
      ++count;
    };
    const bool known = name.ends_with("known.test.");
    if (known && type == 1) add(std::string("\x7F\x00\x00\x01", 4));
    if (known && type == 33) {
      add(std::string("\x00\x14\x00\x00\x01\xBB\x01", 7) + "b" + std::string(1, '\0'));
      add(std::string("\x00\x0A\x00\x00\x01\xBB\x01", 7) + "a" + std::string(1, '\0'));
    }
    if (known && type == 15) {
      add(std::string("\x00\x14\x01", 3) + "y" + std::string(1, '\0'));
      add(std::string("\x00\x0A\x01", 3) + "x" + std::string(1, '\0'));
    }
    out[2] = static_cast<char>(0x81);
    out[3] = static_cast<char>(known ? 0x80 : 0x83);
    out[7] = static_cast<char>(count);
    out[9] = out[11] = out[10] = out[8] = 0;
    co_await socket.async_send_to(asio::buffer(out + answer), from, asio::as_tuple(asio::use_awaitable));
  }
}

TEST_F(Loopback, DnsIsAskedForAddressesServicesAndExchangers) {
  using asio::ip::udp;
  udp::socket socket(context_, udp::endpoint(asio::ip::make_address("127.0.0.1"), 0));
  int questions = 0;
  asio::co_spawn(context_, answer_dns(socket, questions), asio::detached);
  DnsSettings settings;
  settings.servers = "127.0.0.1:" + std::to_string(socket.local_endpoint().port());
  auto resolver = make_dns_resolver(context_.get_executor(), system_random(), settings).value();
  EXPECT_EQ(run(resolver->addresses("mail.known.test")).value(), std::vector<std::string>{"127.0.0.1"});
  const auto services = run(resolver->srv("_autodiscover._tcp.known.test")).value();
  ASSERT_EQ(services.size(), 2u);
  EXPECT_EQ(services[0].target, "a");
  EXPECT_EQ(services[0].port, 443);
  EXPECT_EQ(run(resolver->mx("known.test")).value(), (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(run(resolver->addresses("unknown.example")).error().code, "name-not-found");
  EXPECT_EQ(run(resolver->srv("_x._tcp.unknown.example")).error().code, "name-not-found");
  const int before = questions;
  EXPECT_EQ(run(resolver->addresses("127.0.0.9")).value().front(), "127.0.0.9");
  EXPECT_EQ(questions, before);
  socket.close();
  // Nobody answers any more.
  DnsSettings dead = settings;
  dead.try_timeout = std::chrono::milliseconds(20);
  dead.tries = 1;
  auto silent = make_dns_resolver(context_.get_executor(), system_random(), dead).value();
  EXPECT_EQ(run(silent->srv("_x._tcp.known.test")).error().code, "dns-failed");
}

}  // namespace
}  // namespace syncline::net::testing
