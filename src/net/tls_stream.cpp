// SPDX-License-Identifier: GPL-3.0-or-later
// The only file that owns an SSL connection. OpenSSL works on octets in memory; ciphertext travels over any
// Stream, so that TLS runs through proxies and over memory streams alike, and cancelling a read loses
// nothing.
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <cstring>
#include <limits>
#include <new>
#include <vector>

#include "net/event.hpp"
#include "net/tls_context.hpp"

namespace syncline::net {
namespace {

constexpr std::size_t quiet_octets = 4 * 1024;
constexpr std::size_t read_octets = 64 * 1024;
constexpr std::size_t write_piece_octets = 64 * 1024;

/// What OpenSSL reads from and writes to.
struct Ciphertext {
  std::span<const std::byte> incoming;
  bool at_end = false;
  std::vector<std::byte> outgoing;
};

int bio_read(BIO* bio, char* buffer, std::size_t size, std::size_t* count) {
  auto* wire = static_cast<Ciphertext*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  *count = std::min(size, wire->incoming.size());
  if (*count == 0) {
    if (!wire->at_end) BIO_set_retry_read(bio);
    return 0;
  }
  std::memcpy(buffer, wire->incoming.data(), *count);
  wire->incoming = wire->incoming.subspan(*count);
  return 1;
}

int bio_write(BIO* bio, const char* octets, std::size_t size, std::size_t* count) {
  auto* wire = static_cast<Ciphertext*>(BIO_get_data(bio));
  const auto* first = reinterpret_cast<const std::byte*>(octets);
  wire->outgoing.insert(wire->outgoing.end(), first, first + size);
  *count = size;
  return 1;
}

long bio_control(BIO* bio, int command, long, void*) {
  const auto* wire = static_cast<const Ciphertext*>(BIO_get_data(bio));
  if (command == BIO_CTRL_FLUSH) return 1;
  if (command == BIO_CTRL_EOF) return wire->at_end && wire->incoming.empty() ? 1 : 0;
  return 0;
}

const BIO_METHOD* bio_method() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "syncline stream");
    if (made == nullptr) throw std::bad_alloc();
    BIO_meth_set_read_ex(made, bio_read);
    BIO_meth_set_write_ex(made, bio_write);
    BIO_meth_set_ctrl(made, bio_control);
    return made;
  }();
  return method;
}

std::string name_text(const X509_NAME* name) {
  if (name == nullptr) return {};
  BIO* bio = BIO_new(BIO_s_mem());
  if (bio == nullptr) return {};
  X509_NAME_print_ex(bio, name, 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<std::size_t>(std::max(0L, size)));
  BIO_free(bio);
  if (text.size() > 300) text.resize(300);
  return text;
}

std::string time_text(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return "an unreadable date";
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d", &parts);
  return text;
}

/// The names that the certificate is for, as many as a person wants to read.
std::string subject_names(X509* certificate) {
  auto* names =
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  if (names == nullptr) return "no host at all";
  std::string text;
  const int count = sk_GENERAL_NAME_num(names);
  for (int i = 0; i < count && i < 8; ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    std::string one;
    if (name->type == GEN_DNS) {
      const auto* octets = reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName));
      one.assign(octets, static_cast<std::size_t>(std::min(253, ASN1_STRING_length(name->d.dNSName))));
    } else if (name->type == GEN_IPADD) {
      one = "an IP address";
    } else {
      continue;
    }
    if (!text.empty()) text += ", ";
    text += one;
  }
  if (count > 8) text += ", …";
  GENERAL_NAMES_free(names);
  return text.empty() ? "no host at all" : text;
}

/// `certificate` is the one at fault: the server's own at depth 0, one above it otherwise.
std::string why_refused(X509* certificate, int verdict, int depth) {
  const std::string which =
      depth == 0 ? "it" : "\"" + name_text(X509_get_subject_name(certificate)) + "\" above it";
  switch (verdict) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return which + " has expired, its last day was " + time_text(X509_get0_notAfter(certificate));
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return which + " is not valid yet, its first day is " + time_text(X509_get0_notBefore(certificate));
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "it is for " + subject_names(certificate) + ", not for this host";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return "it is signed by itself and not among the trusted certificates";
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return "its issuer \"" + name_text(X509_get_issuer_name(certificate)) +
             "\" leads to no trusted authority (another CA file may be needed, or the server does not send "
             "its "
             "intermediate certificates)";
    default:
      return which + ": " + X509_verify_cert_error_string(verdict);
  }
}

/// Where a connection finds the text that says why its peer's certificate was refused.
int refusal_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

/// Judges nothing; the certificate at fault is only at hand while it is being judged.
int note_refusal(int accepted, X509_STORE_CTX* verification) {
  if (accepted == 1) return accepted;
  auto* ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(verification, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* refusal = ssl != nullptr ? static_cast<std::string*>(SSL_get_ex_data(ssl, refusal_index())) : nullptr;
  const int verdict = X509_STORE_CTX_get_error(verification);
  X509* certificate = X509_STORE_CTX_get_current_cert(verification);
  if (refusal != nullptr && refusal->empty()) {
    *refusal = certificate != nullptr
                   ? why_refused(certificate, verdict, X509_STORE_CTX_get_error_depth(verification))
                   : X509_verify_cert_error_string(verdict);
  }
  return accepted;
}

/// RFC 5929 section 4.1: the hash of the certificate's signature, but SHA-256 in place of MD5 and SHA-1 (and
/// where the signature algorithm has no single hash, as Ed25519).
std::string certificate_hash(const X509* certificate) {
  int digest_nid = NID_undef;
  if (X509_get_signature_info(const_cast<X509*>(certificate), &digest_nid, nullptr, nullptr, nullptr) != 1 ||
      digest_nid == NID_undef || digest_nid == NID_md5 || digest_nid == NID_sha1) {
    digest_nid = NID_sha256;
  }
  const EVP_MD* digest = EVP_get_digestbynid(digest_nid);
  if (digest == nullptr) digest = EVP_sha256();
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (certificate == nullptr || X509_digest(certificate, digest, hash, &size) != 1) return {};
  return std::string(reinterpret_cast<const char*>(hash), size);
}

class TlsStream final : public Stream {
 public:
  TlsStream(asio::any_io_executor executor, StreamPtr inner, const TlsContextPtr& context)
      : inner_(std::move(inner)),
        context_(context),
        ssl_(SSL_new(static_cast<OpenSslContext&>(*context).get())),
        buffer_(quiet_octets),
        writer_left_(std::move(executor)) {
    BIO* bio = BIO_new(bio_method());
    if (ssl_ == nullptr || bio == nullptr) throw std::bad_alloc();
    BIO_set_data(bio, &wire_);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_.get(), bio, bio);  // one reference for both directions
  }

  Async<void> client_handshake(std::string host) {
    SSL_set_connect_state(ssl_.get());
    SSL_set_ex_data(ssl_.get(), refusal_index(), &refusal_);
    SSL_set_verify(ssl_.get(), SSL_VERIFY_PEER, note_refusal);
    boost::system::error_code not_an_address;
    const auto address = asio::ip::make_address(host, not_an_address);
    X509_VERIFY_PARAM* verify = SSL_get0_param(ssl_.get());
    if (not_an_address) {
      // RFC 6066 section 3: no trailing dot, no addresses in SNI.
      if (host.ends_with('.')) host.pop_back();
      SSL_set_tlsext_host_name(ssl_.get(), host.c_str());
      X509_VERIFY_PARAM_set_hostflags(verify, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
      if (host.empty() || X509_VERIFY_PARAM_set1_host(verify, host.c_str(), host.size()) != 1) {
        co_return fail(ErrorDomain::tls, "handshake",
                       "there is no host name to check the certificate against");
      }
    } else {
      X509_VERIFY_PARAM_set1_ip_asc(verify, address.to_string().c_str());
    }
    auto done = co_await handshake(host);
    if (!done) co_return fail(std::move(done).error());
    X509* certificate = SSL_get1_peer_certificate(ssl_.get());
    if (certificate == nullptr)
      co_return fail(ErrorDomain::tls, "certificate", host + " shows no certificate");
    end_point_ = certificate_hash(certificate);
    X509_free(certificate);
    co_return Result<void>{};
  }

  Async<void> server_handshake() {
    SSL_set_accept_state(ssl_.get());
    end_point_ = certificate_hash(SSL_get_certificate(ssl_.get()));
    return handshake("the client");
  }

  Async<std::size_t> read_some(std::span<std::byte> buffer) override {
    for (;;) {
      ERR_clear_error();
      std::size_t count = 0;
      const int done = SSL_read_ex(ssl_.get(), buffer.data(), buffer.size(), &count);
      const int reason = SSL_get_error(ssl_.get(), done);
      if (!wire_.outgoing.empty() && !writing_) {  // a key update to be answered, or an alert
        auto flushed = co_await flush();
        if (!flushed) co_return fail(std::move(flushed).error());
      }
      if (done == 1) co_return count;
      if (reason == SSL_ERROR_ZERO_RETURN) co_return std::size_t{0};
      if (reason != SSL_ERROR_WANT_READ) {
        if (wire_.at_end) co_return truncated();
        broken_ = true;
        co_return fail(ErrorDomain::tls, "broken", "the TLS connection failed: " + take_openssl_error(),
                       RetryClass::after);
      }
      if (wire_.at_end) co_return truncated();
      auto more = co_await receive();
      if (!more) co_return fail(std::move(more).error());
    }
  }

  Async<void> write_all(std::span<const std::byte> octets) override {
    while (writing_) {  // the reader sends an alert or a key update just now
      auto waited = co_await writer_left_.wait();
      if (!waited) co_return fail(std::move(waited).error());
    }
    while (!octets.empty()) {
      const std::span<const std::byte> piece = octets.first(std::min(octets.size(), write_piece_octets));
      wire_.outgoing.reserve(piece.size() + piece.size() / 64 + 64);
      ERR_clear_error();
      std::size_t count = 0;
      if (broken_ || SSL_write_ex(ssl_.get(), piece.data(), piece.size(), &count) != 1) {
        co_return fail(ErrorDomain::tls, "broken", "the TLS connection failed: " + take_openssl_error(),
                       RetryClass::after);
      }
      auto flushed = co_await flush();
      if (!flushed) co_return fail(std::move(flushed).error());
      octets = octets.subspan(count);
    }
    co_return Result<void>{};
  }

  Async<void> shutdown_write() override {
    if (!broken_) {
      ERR_clear_error();
      SSL_shutdown(ssl_.get());
      ERR_clear_error();
      if (!writing_) {
        auto flushed = co_await flush();
        if (!flushed) co_return fail(std::move(flushed).error());
      }
    }
    auto ended = co_await inner_->shutdown_write();
    co_return ended;
  }

  void close() noexcept override { inner_->close(); }
  std::string tls_server_end_point() const override { return end_point_; }
  std::string tls_exporter() const override {
    if (!SSL_is_init_finished(ssl_.get())) return {};
    if (SSL_version(ssl_.get()) < TLS1_3_VERSION && SSL_get_extms_support(ssl_.get()) != 1) return {};
    constexpr std::string_view label = "EXPORTER-Channel-Binding";
    unsigned char octets[32];
    if (SSL_export_keying_material(ssl_.get(), octets, sizeof octets, label.data(), label.size(), nullptr, 0,
                                   1) != 1) {
      ERR_clear_error();
      return {};
    }
    return std::string(reinterpret_cast<const char*>(octets), sizeof octets);
  }
  bool is_tls() const noexcept override { return true; }
  void set_quick_ack(bool on) noexcept override { inner_->set_quick_ack(on); }

 private:
  struct FreeSsl {
    void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
  };

  static unexpected<Error> truncated() {
    return fail(ErrorDomain::tls, "truncated",
                "the connection ended without a TLS close_notify: what was read may have been cut",
                RetryClass::after);
  }

  Async<void> handshake(std::string peer) {
    for (;;) {
      ERR_clear_error();
      const int done = SSL_do_handshake(ssl_.get());
      const int reason = SSL_get_error(ssl_.get(), done);
      std::string text = done == 1 ? std::string() : handshake_error(peer, reason);
      const bool certificate_refused = done != 1 && SSL_get_verify_result(ssl_.get()) != X509_V_OK;
      if (!wire_.outgoing.empty()) {
        auto flushed = co_await flush();
        if (!flushed && reason == SSL_ERROR_WANT_READ) co_return fail(std::move(flushed).error());
      }
      if (done == 1) co_return Result<void>{};
      if (reason != SSL_ERROR_WANT_READ || wire_.at_end) {
        broken_ = true;
        co_return fail(ErrorDomain::tls, certificate_refused ? "certificate" : "handshake", std::move(text));
      }
      auto more = co_await receive();
      if (!more) co_return fail(std::move(more).error());
    }
  }

  std::string handshake_error(const std::string& peer, int reason) {
    if (const long verdict = SSL_get_verify_result(ssl_.get()); verdict != X509_V_OK) {
      take_openssl_error();
      return "the certificate of " + peer +
             " was refused: " + (refusal_.empty() ? X509_verify_cert_error_string(verdict) : refusal_);
    }
    if (reason == SSL_ERROR_WANT_READ || (wire_.at_end && ERR_peek_error() == 0)) {
      return peer + " ended the connection during the TLS handshake";
    }
    const int code = ERR_GET_REASON(ERR_peek_error());
    const std::string detail = take_openssl_error();
    switch (code) {
      case SSL_R_UNSUPPORTED_PROTOCOL:
      case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
      case SSL_R_WRONG_SSL_VERSION:
        return peer + " does not speak TLS 1.2 or newer as wanted here (" + detail + ")";
      case SSL_R_WRONG_VERSION_NUMBER:
      case SSL_R_HTTP_REQUEST:
      case SSL_R_PACKET_LENGTH_TOO_LONG:
        return peer + " does not speak TLS on this port (" + detail + ")";
      default:
        return "the TLS handshake with " + peer + " failed: " + detail;
    }
  }

  /// One read of ciphertext. The buffer grows to its full size with the first full read and shrinks after one
  /// that brought less than a segment, so that thousands of idle connections stay small.
  Async<void> receive() {
    if (shrink_ && buffer_.size() > quiet_octets) std::vector<std::byte>(quiet_octets).swap(buffer_);
    auto count = co_await inner_->read_some(buffer_);
    if (!count) co_return fail(std::move(count).error());
    if (*count == 0) {
      wire_.at_end = true;
      wire_.incoming = {};
      co_return Result<void>{};
    }
    shrink_ = *count < quiet_octets / 4;
    if (*count == buffer_.size() && buffer_.size() < read_octets) {
      std::vector<std::byte> larger(read_octets);
      std::copy_n(buffer_.begin(), *count, larger.begin());
      buffer_.swap(larger);
    }
    wire_.incoming = std::span<const std::byte>(buffer_).first(*count);
    co_return Result<void>{};
  }

  Async<void> flush() {
    writing_ = true;
    Result<void> result;
    while (!wire_.outgoing.empty()) {
      sending_.clear();
      sending_.swap(wire_.outgoing);
      result = co_await inner_->write_all(sending_);
      if (!result) break;
    }
    // Thousands of idle connections should not keep what one large answer needed.
    if (sending_.capacity() > read_octets / 4) std::vector<std::byte>().swap(sending_);
    writing_ = false;
    writer_left_.notify_one();
    co_return result;
  }

  StreamPtr inner_;
  TlsContextPtr context_;
  Ciphertext wire_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
  std::vector<std::byte> buffer_;
  std::vector<std::byte> sending_;
  std::string end_point_;
  std::string refusal_;
  Event writer_left_;
  bool shrink_ = false;
  bool writing_ = false;
  bool broken_ = false;
};

}  // namespace

Async<StreamPtr> start_tls_client(asio::any_io_executor executor, StreamPtr clear, std::string host,
                                  TlsContextPtr context) {
  auto stream = std::make_unique<TlsStream>(executor, std::move(clear), context);
  auto done = co_await stream->client_handshake(std::move(host));
  if (!done) co_return fail(std::move(done).error());
  StreamPtr result = std::move(stream);
  co_return result;
}

Async<StreamPtr> start_tls_server(asio::any_io_executor executor, StreamPtr clear, TlsContextPtr context) {
  auto stream = std::make_unique<TlsStream>(executor, std::move(clear), context);
  auto done = co_await stream->server_handshake();
  if (!done) co_return fail(std::move(done).error());
  StreamPtr result = std::move(stream);
  co_return result;
}

}  // namespace syncline::net
