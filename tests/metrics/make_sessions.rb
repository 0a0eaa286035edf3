# Makes sessions.json: rows as activerecord-session_store 2 writes them, by a real Ruby.
#   ruby tests/metrics/make_sessions.rb > tests/metrics/sessions.json
require "base64"
require "bigdecimal"
require "date"
require "json"
require "set"

# Stand-ins by name for what Rails puts into sessions; only the name reaches the bytes.
module ActiveSupport
  class HashWithIndifferentAccess < Hash; end

  class TimeWithZone
    def initialize(utc)
      @utc = utc
    end

    def marshal_dump
      [@utc, "UTC", @utc]
    end
  end
end

module ActionDispatch
  class Flash
    class FlashHash
      def initialize
        @flashes = { "notice" => "Signed in." }
        @discard = Set.new(["notice"])
      end
    end
  end
end

module Money
  Price = Struct.new(:cents, :currency)
end

class Tag
  def initialize(name)
    @name = name
  end

  def _dump(_level)
    @name
  end
end

SALT = "$2a$12$abcdefghijklmnopqrstuv"
KEY = [[42], SALT]
TIME = Time.at(1_700_000_000, 123, :nsec).utc
EVERYTHING = [
  nil, true, false, 0, 1, -1, 122, 123, -123, -124, 255, 256, -256, -257, 65_536, 2**30 - 1, 2**30, -(2**30) - 1,
  2**40, 2**70, -(2**70), 1.5, Float::INFINITY, :sym, :sym, :"größe", :"größe", "größe", "raw\xFF".b,
  "latin".encode("ISO-8859-1"), 1..2, /a/i, String, Comparable, BigDecimal("1.20"), Rational(1, 2), TIME, TIME,
  Date.new(2026, 1, 2), Money::Price.new(100, "EUR"), Tag.new("t"), "extended".dup.extend(Comparable),
  Hash.new(5).merge!("a" => 1), Set[1, 2], { [1] => { {} => 2 } }
].freeze

def nested(depth)
  depth.zero? ? [] : [nested(depth - 1)]
end

def cart_with_links
  word = "shared"
  { "cart" => [word, EVERYTHING, word, EVERYTHING], "again" => word, "warden.user.user.key" => KEY, "last" => word }
end

def row(session)
  Base64.encode64(Marshal.dump(session))
end

user = { "_csrf_token" => "abc=", "warden.user.user.key" => KEY }
rows = {
  "user" => ["USER", row(user)],
  "user_in_a_hash_with_indifferent_access" => ["USER", row(ActiveSupport::HashWithIndifferentAccess.new.merge!(user))],
  "user_after_everything_else" => ["USER", row(cart_with_links)],
  "user_with_flash_and_zone" => ["USER", row("flash" => ActionDispatch::Flash::FlashHash.new,
                                             "seen" => ActiveSupport::TimeWithZone.new(TIME), "warden.user.user.key" => KEY)],
  "user_with_a_uuid" => ["USER", row("warden.user.user.key" => [["6f9619ff-8b86-d011-b42d-00c04fc964ff"], SALT])],
  "user_without_a_password" => ["USER", row("warden.user.user.key" => [[7], ""])],
  "user_and_admin" => ["USER", row(user.merge("warden.user.admin_user.key" => KEY))],
  "user_in_json" => ["USER", JSON.generate("value" => user)],
  "admin" => ["OTHER_USER", row("warden.user.admin_user.key" => KEY)],
  "visitor" => ["NOBODY", row("_csrf_token" => "abc=")],
  "visitor_in_json" => ["NOBODY", JSON.generate("value" => { "_csrf_token" => "abc=" })],
  "signed_out" => ["NOBODY", row("warden.user.user.key" => nil)],
  "key_of_the_session_object_only" => ["NOBODY", row("warden.user.user.session" => { "last_request_at" => 1 })],
  "key_only_inside_a_cart" => ["NOBODY", row("cart" => { "warden.user.user.key" => KEY })],
  "empty" => ["NOBODY", row({})],
  "nil" => ["NOBODY", row(nil)],
  "not_a_hash" => ["UNKNOWN", row([1, 2])],
  "cut_off" => ["UNKNOWN", Base64.encode64(Marshal.dump(user)[0..-5])],
  "with_a_tail" => ["UNKNOWN", Base64.encode64(Marshal.dump(user) + "\0")],
  "too_deep" => ["UNKNOWN", row("a" => nested(500), "warden.user.user.key" => KEY)]
}
puts JSON.pretty_generate(rows.map { |name, (holds, data)| { name: name, holds: holds, data: data } })
