/** A small shop to try things with. */
import { Currency } from "../order/Money.ts"
import { CustomerId, ProductId } from "../order/OrderId.ts"
import { CustomerCommand } from "../catalog/Customer.ts"
import { ProductCommand } from "../catalog/Product.ts"

const { SaveProduct } = ProductCommand.cases
const { SaveCustomer } = CustomerCommand.cases

const product = (id: string, name: string, unitPrice: number, taxBps: number) =>
  SaveProduct.make({ productId: ProductId.make(id), name, unitPrice, currency: Currency.make("EUR"), taxBps })

const customer = (id: string, name: string) =>
  SaveCustomer.make({ customerId: CustomerId.make(id), name, email: `${id}@example.org` })

export const demoProducts: ReadonlyArray<typeof SaveProduct.Type> = [
  product("mug", "Mug", 1250, 1900),
  product("teapot", "Teapot", 3490, 1900),
  product("tea", "Darjeeling, 100 g", 895, 700),
  product("book", "The Book of Tea", 1800, 700),
  product("postcard", "Postcard", 0, 1900)
]

export const demoCustomers: ReadonlyArray<typeof SaveCustomer.Type> = [
  customer("ada", "Ada Lovelace"),
  customer("grace", "Grace Hopper"),
  customer("alan", "Alan Turing")
]
