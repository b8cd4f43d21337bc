"""What people type instead of a code: everyday words, brands, and the usual slips of the pen.

A list for interfaces, not for records, and no part of the protocol: it may grow at any time.
Plurals and case need no rows of their own. Some rows are as people spelt them on a real map of
needs: a request for `Tylanol` must not be missed by somebody who has Tylenol.
"""

from typing import Final

_WORDS: Final[dict[str, str]] = {
    "care.animal": (
        "animal feed, cat food, cat litter, dog food, dog walk, hay, pet, pet care, pet food, vet"
    ),
    "care.child": (
        "after school, babysitter, babysitting, child care, child minding, childcare, kids, nanny"
    ),
    "care.cleaning": (
        "bin bag, bleach, broom, cleaner, cleaning, cleaning product, cleaning supply, detergent, "
        "dish soap, disinfectant, disinfecting wipes, garbage bag, laundry detergent, laundry "
        "soap, lysol, mop, paper towel, sponge, trash bag"
    ),
    "care.elder": (
        "carer, companion, elder care, eldercare, home care, home help, senior care, shopping help"
    ),
    "care.hygiene": (
        "adult diaper, conditioner, deodorant, feminine hygiene, feminine product, hygeine, "
        "hygiene, hygiene kit, hygine, incontinence, kleenex, lotion, menstrual product, pads, "
        "period product, razor, sanitary pad, sanitary towel, shampoo, shaving, soap, tampon, "
        "tissue, toilet paper, toilet roll, toiletries, toiletry, tooth paste, toothbrush, "
        "toothpaste, tp, washing stuff"
    ),
    "care.infant": (
        "baby, baby food, baby formula, baby wipes, bottle, crib, daipers, diaper, diappers, "
        "dipers, formula, infant, infant formula, nappies, nappy, pull ups, pullups, stroller, wet "
        "wipes, wipes"
    ),
    "ecology.care": (
        "clean up, cleanup, creek, habitat, invasive plant, litter pick, nature, river clean up, "
        "wildlife"
    ),
    "ecology.plant": "native plant, sapling, tree, tree planting, wildflower",
    "ecology.soil": "compost, manure, mulch, soil, topsoil, wood chips",
    "ecology.water": "irrigation, pond, tree watering, watering",
    "education.lesson": (
        "class, coaching, course, homework, homework help, lesson, teacher, teaching, training, "
        "tutor, tutoring"
    ),
    "education.school": (
        "back pack, backpack, book, calculator, crayon, notebook, paper, pen, pencil, rucksack, "
        "school, school bag, school supplies, school supply, stationary, stationery"
    ),
    "energy.electric": (
        "charging, device charging, electric, electricity, kilowatt hour, kwh, mains, phone "
        "charging, power, solar, solar power, watt hour"
    ),
    "energy.fuel": "diesel, engine fuel, fuel, gas for car, gasoline, kerosene, paraffin, petrol",
    "energy.heat": (
        "charcoal, coal, fire wood, firewood, gas bottle, hand warmer, handwarmer, heat, heater, "
        "heating, heating fuel, heating oil, lp gas, pellets, propane, space heater, warming, "
        "warming center, warming centre, warmth, wood"
    ),
    "energy.store": (
        "batterie, battery, battery bank, flash light, flashlight, generator, head lamp, headlamp, "
        "inverter, lamp, lantern, light, power bank, power station, powerbank, torch"
    ),
    "food.dry": (
        "bean, beans, can goods, canned, canned food, canned goods, cereal, dried food, dry food, "
        "dry goods, flour, food that keeps, groceries, grocery, lentils, non perishable, non "
        "perishables, nonperishable, nonperishible, noodles, oats, oil, pantry, pasta, peanut "
        "butter, rice, shelf stable, staple, sugar, tinned food, tins"
    ),
    "food.fresh": (
        "apple, bread, butter, cheese, dairy, egg, fish, fresh, fresh food, fruit, fruits and "
        "vegetables, herbs, meat, milk, perishable, potato, potatoes, produce, tortilla, veg, "
        "vegetable, veggies, vegies, vegtable, yoghurt, yogurt"
    ),
    "food.meal": (
        "breakfast, catering, cooked food, dinner, food, hot food, hot meal, lunch, meal, pizza, "
        "prepared food, ready meal, sandwich, snack, soup, supper, to go meal, warm food, warm "
        "meal"
    ),
    "food.water": (
        "botteled water, bottled water, drink, drinking, drinking water, gatorade, potable water, "
        "tap water, water, water bottle, watter, wter"
    ),
    "health.medical": (
        "ace bandage, band aid, bandage, bandaid, blood pressure cuff, crutch, crutches, first "
        "aid, first aid kit, first aid supplies, gauze, medic supplies, medical, medical supplies, "
        "medical supply, naloxone, narcan, oxygen, saline, splint, syringe, test kit, thermometer, "
        "wheel chair, wheelchair, wound care"
    ),
    "health.medicine": (
        "acetaminophen, advil, allergy pills, antibiotics, aspirin, cough syrup, drug, epipen, "
        "ibuprofen, ibuprophen, inhaler, insulin, medecine, medication, medicin, medicine, meds, "
        "pain killer, pain reliever, painkiller, paracetamol, pill, prescription, tylanol, "
        "tylenol, tylonol, vitamins"
    ),
    "health.mind": (
        "company, counseling, counselling, emotional support, grief, listening, mental health, "
        "peer support, somebody to talk to, therapy"
    ),
    "health.protective": (
        "disposable gloves, ear plugs, face covering, face mask, face shield, facemask, glove, "
        "goggles, gown, hand sanitiser, hand sanitizer, handsanitizer, kn95, latex gloves, mask, "
        "masks, n95, nitrile gloves, p p e, ppe, protective, respirator, sanitiser, sanitizer, "
        "santizer"
    ),
    "health.visit": (
        "clinic, doctor, doula, home visit, medic, midwife, nurse, nursing, paramedic, vaccination"
    ),
    "land.plot": (
        "allotment, community garden, garden, garden bed, garden plot, growing space, land, plot, "
        "raised bed"
    ),
    "land.seed": "plant start, seed, seedling, seeds, tomato plant",
    "logistics.storage": (
        "bag, box, boxes, cardboard, cold room, cold storage, container, cool box, cooler, crate, "
        "freezer, freezer space, fridge, fridge space, garage space, ice chest, packing, pallet, "
        "shelf space, storage, storage space, tape, tote, tupperware, warehouse, zip lock bag, "
        "ziploc"
    ),
    "shelter.bed": (
        "accommodation, accomodation, bed, beds, couch, guest room, hotel room, housing, night "
        "shelter, place to sleep, place to stay, shelter, sleeping place, sofa, spare room"
    ),
    "shelter.bedding": (
        "air mattress, bedding, blanket, blankets, blankits, camping gear, cot, duvet, linen, mat, "
        "mattress, pillow, quilt, sheets, sleeping bag, sleeping bags, sleeping pad, tent, tents, "
        "towel, yoga mat"
    ),
    "shelter.clothing": (
        "boot, cloth, clothes, clothing, coat, glove liner, hat, hoodie, jacket, jumper, long "
        "johns, mitten, pants, scarf, scarves, shirt, shoe, sock, socks, sweater, sweatshirt, t "
        "shirt, trousers, underwear, winter clothes, winter coat, winter gear"
    ),
    "shelter.repair": (
        "board, boards, building material, lumber, nail, plaster, plywood, roof, roofing, sand "
        "bag, sandbag, screws, tarp, tarpaulin, tarps, timber, window"
    ),
    "shelter.room": "hall, meeting room, office space, room, space, studio, venue, workshop space",
    "skill.advice": (
        "advice, advocacy, benefits advice, bookkeeping, finance, form filling, immigration "
        "advice, law, lawyer, legal, legal advice, legal aid, paperwork, tax"
    ),
    "skill.language": "interpreter, interpreting, language, sign language, translation, translator",
    "skill.repair": (
        "bike repair, electrician, fixing, handyman, maintenance, mechanic, mending, plumber, "
        "plumbing, repair, sewing"
    ),
    "telecom.network": (
        "antenna, cb, cell phone, cellphone, computer, ham radio, hot spot, hotspot, internet, "
        "laptop, lora, mesh, mobile phone, network, phone, phone credit, radio, router, sim card, "
        "smartphone, tablet, telephone, two way radio, walkie talkie, walkietalkie, wi fi, wifi"
    ),
    "tool.building": (
        "building tool, chain saw, chainsaw, drill, hammer, ladder, power tool, saw, screwdriver, "
        "shovel, spade, tool, toolbox, tools, wrench"
    ),
    "tool.garden": (
        "garden tool, hoe, hose, lawn mower, lawnmower, rake, secateurs, watering can, wheel "
        "barrow, wheelbarrow"
    ),
    "tool.kitchen": (
        "camp stove, camping stove, cutlery, grill, kettle, kitchen equipment, microwave, oven, "
        "pan, plates, pot, stove, utensils"
    ),
    "transport.cargo": (
        "cargo, cargo bike, courier, deliver, delivery, delivery driver, driver, freight, haulage, "
        "hauling, moving, moving help, transport, transportation, van with driver"
    ),
    "transport.ride": (
        "bus fare, bus pass, car pool, carpool, lift, medical ride, ride, ride share, rides, taxi"
    ),
    "transport.vehicle": (
        "bicycle, bike, car, hand cart, handcart, minibus, pickup truck, trailer, truck, van, "
        "vehicle"
    ),
    "wash.toilet": (
        "bathroom, laundry, loo, porta potty, portable toilet, portapotty, restroom, sanitation, "
        "shower, showers, toilet, washing machine"
    ),
    "wash.water": (
        "chlorine, grey water, greywater, iodine, non potable water, purification tablet, rain "
        "water, rainwater, wash water, washing water, water filter, water purification, water "
        "purifier, water treatment"
    ),
    "work.volunteer": (
        "hands, help, helper, helping hands, labor, labour, manpower, people power, volenteer, "
        "volunteer, volunteer time, volunteering, volunteers, voluteer, worker"
    ),
}

ALIASES: Final[dict[str, str]] = {
    word.strip(): code for code, words in _WORDS.items() for word in words.split(",")
}
